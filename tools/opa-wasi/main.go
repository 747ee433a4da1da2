// Command opa-wasi is OPA's compiler, checker, formatter, test runner and evaluator as one WASI module: a request as JSON
// on stdin, the answer as JSON on stdout, nothing else read or written. Countersign runs it inside Node, so that nobody
// needs Go or an OPA binary to compile and test a policy.
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

// Request is what one process start does. The verb says which of the other fields count.
type Request struct {
	Verb    string         `json:"verb"`
	Modules []Source       `json:"modules"`
	Data    map[string]any `json:"data"`

	// compile
	Entrypoints []string `json:"entrypoints"`

	// eval: a query such as data.countersign.decision, evaluated for each input in turn.
	Query  string            `json:"query"`
	Inputs []json.RawMessage `json:"inputs"`
	Trace  bool              `json:"trace"`

	// check
	InputSchema any `json:"input_schema"`

	// test
	Run      string `json:"run"`
	Coverage bool   `json:"coverage"`
}

// Source is one Rego file.
type Source struct {
	Path   string `json:"path"`
	Source string `json:"source"`
}

// Answer has either errors or the fields of its verb.
type Answer struct {
	Errors []Problem `json:"errors,omitempty"`

	Wasm     []byte        `json:"wasm,omitempty"`
	Packages []string      `json:"packages,omitempty"`
	Results  []Evaluation  `json:"results,omitempty"`
	Files    []Source      `json:"files,omitempty"`
	Tests    []TestResult  `json:"tests,omitempty"`
	Coverage *CoverageFile `json:"coverage,omitempty"`
	Builtins []string      `json:"builtins,omitempty"`
}

var verbs = map[string]func(Request) (Answer, error){
	"compile":      compilePolicy,
	"eval":         evaluate,
	"check":        check,
	"fmt":          formatFiles,
	"test":         runTests,
	"capabilities": listCapabilities,
}

func main() {
	var answer Answer
	if err := serve(&answer); err != nil {
		answer = Answer{Errors: problems(err)}
	}
	if err := json.NewEncoder(os.Stdout).Encode(answer); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(answer *Answer) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("OPA panicked: %v", fault)
		}
	}()
	decoder := json.NewDecoder(os.Stdin)
	decoder.UseNumber()
	var request Request
	if err := decoder.Decode(&request); err != nil {
		return fmt.Errorf("the request cannot be read: %w", err)
	}
	if request.Data == nil {
		request.Data = map[string]any{}
	}
	verb, known := verbs[request.Verb]
	if !known {
		return fmt.Errorf("there is no verb %q", request.Verb)
	}
	*answer, err = verb(request)
	return err
}
