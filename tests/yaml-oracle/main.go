// Command yaml-oracle says what kubectl's YAML library makes of texts.
//
// It reads a JSON list of texts from standard input and writes a JSON list of answers, one for each, to standard output.
// It exists to hold crates/mesh-yaml against sigs.k8s.io/yaml.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"sigs.k8s.io/yaml"
)

// answer is what the library makes of one text.
type answer struct {
	// JSON is the converted text; absent if Error is set.
	JSON json.RawMessage `json:"json,omitempty"`
	// Error says why the text was refused.
	Error string `json:"error,omitempty"`
	// StrictError says why the strict reader refused it, which is more picky.
	StrictError string `json:"strictError,omitempty"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "yaml-oracle:", err)
		os.Exit(1)
	}
}

func run() error {
	var texts []string
	if err := json.NewDecoder(os.Stdin).Decode(&texts); err != nil {
		return err
	}
	answers := make([]answer, len(texts))
	for i, text := range texts {
		answers[i] = ask(text)
	}
	return json.NewEncoder(os.Stdout).Encode(answers)
}

func ask(text string) (result answer) {
	defer func() {
		// The library panics on some malformed input.
		if reason := recover(); reason != nil {
			result = answer{Error: fmt.Sprint("panic: ", reason)}
		}
	}()
	converted, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		return answer{Error: err.Error()}
	}
	result.JSON = converted
	if _, err := yaml.YAMLToJSONStrict([]byte(text)); err != nil {
		result.StrictError = err.Error()
	}
	return result
}
