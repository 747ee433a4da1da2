package main

import (
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/format"
)

// check compiles strictly; with a schema, a field that input cannot have is an error.
func check(request Request) (Answer, error) {
	modules, err := parseAll(request.Modules, true)
	if err != nil {
		return Answer{}, err
	}
	compiler := ast.NewCompiler().WithStrict(true).WithCapabilities(capabilities())
	if request.InputSchema != nil {
		schemas := ast.NewSchemaSet()
		schemas.Put(ast.SchemaRootRef, request.InputSchema)
		compiler = compiler.WithSchemas(schemas).WithUseTypeCheckAnnotations(true)
	}
	if compiler.Compile(modules); compiler.Failed() {
		return Answer{}, compiler.Errors
	}
	return Answer{Packages: packages(modules)}, nil
}

// formatFiles answers each file as OPA's formatter writes it, in the dialect it has.
func formatFiles(request Request) (Answer, error) {
	modules, err := parseAll(request.Modules, true)
	if err != nil {
		return Answer{}, err
	}
	answer := Answer{Files: make([]Source, 0, len(request.Modules))}
	for _, file := range request.Modules {
		module := modules[file.Path]
		formatted, err := format.AstWithOpts(module, format.Opts{RegoVersion: module.RegoVersion()})
		if err != nil {
			return Answer{}, err
		}
		answer.Files = append(answer.Files, Source{Path: file.Path, Source: string(formatted)})
	}
	return answer, nil
}
