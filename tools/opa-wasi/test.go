package main

import (
	"bytes"
	"context"
	"slices"
	"sort"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/cover"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/tester"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// TestResult is one test_ rule. Outcome is passed, failed, skipped or error.
type TestResult struct {
	Package    string  `json:"package"`
	Name       string  `json:"name"`
	File       string  `json:"file"`
	Row        int     `json:"row"`
	Outcome    string  `json:"outcome"`
	Message    string  `json:"message,omitempty"`
	Output     string  `json:"output,omitempty"`
	Trace      string  `json:"trace,omitempty"`
	DurationMS float64 `json:"duration_ms"`
}

// CoverageFile is percent of lines, and per file the rows that no test reached.
type CoverageFile struct {
	Percent float64          `json:"percent"`
	Files   map[string]Lines `json:"files"`
}

// Lines is one file's coverage.
type Lines struct {
	Percent    float64  `json:"percent"`
	NotCovered [][2]int `json:"not_covered"`
}

// runTests runs the test_ rules. Tests may use every builtin of OPA; the policy itself was held to fewer by compile.
func runTests(request Request) (Answer, error) {
	modules, err := parseAll(request.Modules, false)
	if err != nil {
		return Answer{}, err
	}
	ctx := context.Background()
	store := inmem.NewFromObject(request.Data)
	transaction, err := store.NewTransaction(ctx, storage.TransactionParams{})
	if err != nil {
		return Answer{}, err
	}
	defer store.Abort(ctx, transaction)

	compiler := ast.NewCompiler().WithEnablePrintStatements(true)
	runner := tester.NewRunner().
		SetCompiler(compiler).
		SetStore(store).
		SetModules(modules).
		CapturePrintOutput(true).
		Filter(request.Run)
	var coverage *cover.Cover
	if request.Coverage {
		coverage = cover.New()
		runner = runner.SetCoverageQueryTracer(coverage).SetCoverageRuns(nil)
	} else {
		runner = runner.EnableTracing(true)
	}
	results, err := runner.RunTests(ctx, transaction)
	if err != nil {
		return Answer{}, err
	}
	answer := Answer{Tests: []TestResult{}}
	for result := range results {
		answer.Tests = append(answer.Tests, report(result))
	}
	sort.Slice(answer.Tests, func(i, j int) bool {
		a, b := answer.Tests[i], answer.Tests[j]
		return a.File < b.File || a.File == b.File && a.Row < b.Row
	})
	if coverage != nil {
		answer.Coverage = covered(coverage.Report(modules))
	}
	return answer, nil
}

func report(result *tester.Result) TestResult {
	out := TestResult{
		Package:    result.Package,
		Name:       result.Name,
		Outcome:    "passed",
		Output:     string(result.Output),
		DurationMS: float64(result.Duration.Microseconds()) / 1000,
	}
	if result.Location != nil {
		out.File, out.Row = result.Location.File, result.Location.Row
	}
	switch {
	case result.Error != nil:
		out.Outcome, out.Message = "error", result.Error.Error()
	case result.Skip:
		out.Outcome = "skipped"
	case result.Fail:
		out.Outcome = "failed"
		if at := failedAt(result); at != nil {
			out.Message, out.Row = "false or undefined: "+string(at.Text), at.Row
		}
		var text bytes.Buffer
		topdown.PrettyTraceWithLocation(&text, result.Trace)
		out.Trace = text.String()
	}
	return out
}

// failedAt is the condition of the test itself that did not hold: the last one to fail in the test's own file.
func failedAt(result *tester.Result) *ast.Location {
	for _, event := range slices.Backward(result.Trace) {
		if event.Op == topdown.FailOp && event.Location != nil && event.Location.File == result.Location.File {
			return event.Location
		}
	}
	return nil
}

func covered(report cover.Report) *CoverageFile {
	out := &CoverageFile{Percent: report.Coverage, Files: map[string]Lines{}}
	for name, file := range report.Files {
		lines := Lines{Percent: file.Coverage, NotCovered: [][2]int{}}
		for _, gap := range file.NotCovered {
			lines.NotCovered = append(lines.NotCovered, [2]int{gap.Start.Row, gap.End.Row})
		}
		out.Files[name] = lines
	}
	return out
}
