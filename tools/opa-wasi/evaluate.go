package main

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/topdown"
	"github.com/open-policy-agent/opa/v1/util"
)

// Evaluation is the answer for one input. Neither defined nor errors: the query is undefined.
type Evaluation struct {
	Defined bool      `json:"defined"`
	Value   any       `json:"value,omitempty"`
	Errors  []Problem `json:"errors,omitempty"`

	// With trace: OPA's own text, the rules whose bodies held, and the conditions that did not.
	Trace  string  `json:"trace,omitempty"`
	Fired  []Place `json:"fired,omitempty"`
	Failed []Place `json:"failed,omitempty"`
}

// Place is a piece of policy: a rule or a condition in one.
type Place struct {
	File string `json:"file"`
	Row  int    `json:"row"`
	Col  int    `json:"col"`
	Text string `json:"text"`
	// The rule that a condition is in, as tool_decision.allow.
	Rule string `json:"rule,omitempty"`
}

// evaluate asks OPA's own evaluator, against which the WASM is checked.
func evaluate(request Request) (Answer, error) {
	modules, err := parseAll(request.Modules, false)
	if err != nil {
		return Answer{}, err
	}
	options := []func(*rego.Rego){
		rego.Query(request.Query),
		rego.Capabilities(capabilities()),
		rego.Store(inmem.NewFromObject(request.Data)),
		rego.StrictBuiltinErrors(false),
	}
	for _, module := range modules {
		options = append(options, rego.ParsedModule(module))
	}
	ctx := context.Background()
	prepared, err := rego.New(options...).PrepareForEval(ctx)
	if err != nil {
		return Answer{}, err
	}
	answer := Answer{Results: make([]Evaluation, 0, len(request.Inputs))}
	for _, raw := range request.Inputs {
		answer.Results = append(answer.Results, evaluateOne(ctx, prepared, raw, request.Trace))
	}
	return answer, nil
}

func evaluateOne(ctx context.Context, prepared rego.PreparedEvalQuery, raw json.RawMessage, trace bool) Evaluation {
	var input any
	if err := util.UnmarshalJSON(raw, &input); err != nil {
		return Evaluation{Errors: problems(err)}
	}
	options := []rego.EvalOption{rego.EvalInput(input)}
	tracer := topdown.NewBufferTracer()
	if trace {
		// Without the index and early exit, every rule is tried and so every missing condition shows.
		options = append(options,
			rego.EvalQueryTracer(tracer), rego.EvalRuleIndexing(false), rego.EvalEarlyExit(false))
	}
	result, err := prepared.Eval(ctx, options...)
	answer := Evaluation{}
	if trace {
		explain(&answer, *tracer)
	}
	switch {
	case err != nil:
		answer.Errors = problems(err)
	case len(result) > 0 && len(result[0].Expressions) > 0:
		answer.Defined, answer.Value = true, result[0].Expressions[0].Value
	}
	return answer
}

func explain(answer *Evaluation, events []*topdown.Event) {
	var text bytes.Buffer
	topdown.PrettyTraceWithLocation(&text, events)
	answer.Trace = text.String()
	rules := map[uint64]*ast.Rule{}
	for _, event := range events {
		rule, isRule := event.Node.(*ast.Rule)
		if isRule && event.Op == topdown.EnterOp {
			rules[event.QueryID] = rule
		}
		switch {
		case isRule && event.Op == topdown.ExitOp:
			answer.Fired = appendOnce(answer.Fired, place(event.Location, ruleName(rule), ""))
		case event.Op == topdown.FailOp && event.Location != nil && event.Location.File != "":
			answer.Failed = appendOnce(answer.Failed, place(event.Location, "", ruleName(rules[event.QueryID])))
		}
	}
}

// place is where something is; text falls back to the source there.
func place(at *ast.Location, text, rule string) Place {
	if text == "" {
		text = string(at.Text)
	}
	return Place{File: at.File, Row: at.Row, Col: at.Col, Text: text, Rule: rule}
}

func ruleName(rule *ast.Rule) string {
	if rule == nil || rule.Module == nil {
		return ""
	}
	return strings.TrimPrefix(rule.Module.Package.Path.Extend(rule.Head.Ref().GroundPrefix()).String(), "data.")
}

func appendOnce(places []Place, p Place) []Place {
	if slices.Contains(places, p) {
		return places
	}
	return append(places, p)
}
