// Command merge-oracle says what Kubernetes makes of strategic merge patches of pods.
//
// It reads a JSON list of cases from standard input, each with a pod and a patch, and writes a JSON list of answers, one
// for each, to standard output. It exists to hold crates/mesh-inject against k8s.io/apimachinery.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

// patchCase is a pod and what is to be merged into it.
type patchCase struct {
	Original json.RawMessage `json:"original"`
	Patch    json.RawMessage `json:"patch"`
}

// answer is what the library makes of one case.
type answer struct {
	// Merged is the pod after the merge; absent if Error is set.
	Merged json.RawMessage `json:"merged,omitempty"`
	// Error says why the patch was refused.
	Error string `json:"error,omitempty"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "merge-oracle:", err)
		os.Exit(1)
	}
}

func run() error {
	var cases []patchCase
	if err := json.NewDecoder(os.Stdin).Decode(&cases); err != nil {
		return err
	}
	answers := make([]answer, len(cases))
	for i, c := range cases {
		merged, err := strategicpatch.StrategicMergePatch(c.Original, c.Patch, corev1.Pod{})
		if err != nil {
			answers[i] = answer{Error: err.Error()}
			continue
		}
		answers[i] = answer{Merged: merged}
	}
	return json.NewEncoder(os.Stdout).Encode(answers)
}
