package main

import (
	_ "embed"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// One builtin a line: those that the WASM runtime implements natively, and at the end those that the gateway provides.
//
//go:embed builtins.txt
var builtinNames string

// capabilities lets a policy use only what really runs when a call is decided. OPA's compiler would accept http.send and
// the evaluation would then throw, on a live call.
func capabilities() *ast.Capabilities {
	runs := map[string]bool{}
	for _, line := range strings.Split(builtinNames, "\n") {
		if name := strings.TrimSpace(line); name != "" && !strings.HasPrefix(name, "#") {
			runs[name] = true
		}
	}
	all := ast.CapabilitiesForThisVersion()
	kept := all.Builtins[:0:0]
	for _, builtin := range all.Builtins {
		if runs[builtin.Name] {
			kept = append(kept, builtin)
		}
	}
	all.Builtins = kept
	all.AllowNet = []string{}
	return all
}

func listCapabilities(Request) (Answer, error) {
	var answer Answer
	for _, builtin := range capabilities().Builtins {
		answer.Builtins = append(answer.Builtins, builtin.Name)
	}
	return answer, nil
}
