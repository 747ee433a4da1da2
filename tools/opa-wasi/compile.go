package main

import (
	"context"
	"errors"
	"sort"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/bundle"
	"github.com/open-policy-agent/opa/v1/compile"
)

// compilePolicy answers the WASM of all modules for the given entry points, unoptimised: with data that arrives at run
// time, OPA's optimiser can delete a deny rule.
func compilePolicy(request Request) (Answer, error) {
	modules, err := parseAll(request.Modules, false)
	if err != nil {
		return Answer{}, err
	}
	packed := &bundle.Bundle{Data: map[string]any{}}
	packed.Manifest.Init()
	for _, file := range request.Modules {
		// Without the raw text, or the bundle would parse it again, in one dialect.
		packed.Modules = append(packed.Modules, bundle.ModuleFile{
			URL: file.Path, Path: file.Path, Parsed: modules[file.Path],
		})
	}
	compiler := compile.New().
		WithTarget(compile.TargetWasm).
		WithOptimizationLevel(0).
		WithCapabilities(capabilities()).
		WithRegoVersion(ast.RegoV1).
		WithEntrypoints(request.Entrypoints...).
		WithBundle(packed)
	if err := compiler.Build(context.Background()); err != nil {
		return Answer{}, err
	}
	built := compiler.Bundle()
	if len(built.WasmModules) != 1 {
		return Answer{}, errors.New("the compiler made no WASM module")
	}
	return Answer{Wasm: built.WasmModules[0].Raw, Packages: packages(modules)}, nil
}

func packages(modules map[string]*ast.Module) []string {
	seen := map[string]bool{}
	var names []string
	for _, module := range modules {
		name := module.Package.Path.String()
		if !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}
