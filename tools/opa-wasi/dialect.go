package main

import (
	"errors"

	"github.com/open-policy-agent/opa/v1/ast"
)

// parse reads one file in whichever dialect of Rego it is written in: the current one (`allow if { … }`), the older one
// (`allow { … }`, which also honours `import rego.v1`), or a file that has rules of both. Where none fits, the error is of
// the dialect that came furthest through the file: it is the one that its author meant.
func parse(file Source, annotations bool) (*ast.Module, error) {
	dialects := []ast.ParserOptions{
		{RegoVersion: ast.RegoV1},
		{RegoVersion: ast.RegoV0},
		{RegoVersion: ast.RegoV0, AllFutureKeywords: true},
	}
	var worst error
	for _, options := range dialects {
		options.Capabilities = ast.CapabilitiesForThisVersion()
		options.ProcessAnnotation = annotations
		module, err := ast.ParseModuleWithOpts(file.Path, file.Source, options)
		if err == nil {
			return module, nil
		}
		if worst == nil || further(err, worst) {
			worst = err
		}
	}
	return nil, worst
}

func further(a, b error) bool {
	rowA, colA := firstPlace(a)
	rowB, colB := firstPlace(b)
	return rowA > rowB || rowA == rowB && colA > colB
}

func firstPlace(err error) (row, col int) {
	var list ast.Errors
	if errors.As(err, &list) && len(list) > 0 && list[0].Location != nil {
		return list[0].Location.Row, list[0].Location.Col
	}
	return 0, 0
}

// parseAll reads every file, and reports the errors of all of them at once.
func parseAll(files []Source, annotations bool) (map[string]*ast.Module, error) {
	modules := make(map[string]*ast.Module, len(files))
	var failed ast.Errors
	for _, file := range files {
		module, err := parse(file, annotations)
		if err == nil {
			modules[file.Path] = module
			continue
		}
		var list ast.Errors
		if !errors.As(err, &list) {
			return nil, err
		}
		failed = append(failed, list...)
	}
	if len(failed) > 0 {
		return nil, failed
	}
	return modules, nil
}
