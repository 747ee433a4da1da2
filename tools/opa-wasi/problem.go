package main

import (
	"errors"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// Problem is one error, at the place in the policy that caused it. Row and column count from 1; 0 is unknown.
type Problem struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	File    string `json:"file,omitempty"`
	Row     int    `json:"row,omitempty"`
	Col     int    `json:"col,omitempty"`
}

func problems(err error) []Problem {
	var list ast.Errors
	if errors.As(err, &list) {
		out := make([]Problem, 0, len(list))
		for _, e := range list {
			out = append(out, located(e.Code, e.Message, e.Location))
		}
		return out
	}
	var one *ast.Error
	if errors.As(err, &one) {
		return []Problem{located(one.Code, one.Message, one.Location)}
	}
	var evaluation *topdown.Error
	if errors.As(err, &evaluation) {
		return []Problem{located(evaluation.Code, evaluation.Message, evaluation.Location)}
	}
	return []Problem{{Code: "opa_error", Message: err.Error()}}
}

func located(code, message string, at *ast.Location) Problem {
	p := Problem{Code: code, Message: message}
	if at != nil {
		p.File, p.Row, p.Col = at.File, at.Row, at.Col
	}
	return p
}
