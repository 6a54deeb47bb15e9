// Command template-oracle says what istiod makes of injection templates.
//
// It reads one request after another from standard input, each a JSON object with a template, the data that istiod has
// for it and the pod that mesh-inject builds in its place, and writes a JSON object for each to standard output: both
// pods, which are to be merged into the user's, as Kubernetes' types read them. It exists to hold the templates of
// crates/mesh-inject against its typed builders.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"text/template"

	"github.com/Masterminds/sprig/v3"
	"github.com/golang/protobuf/jsonpb"
	"google.golang.org/protobuf/runtime/protoiface"
	meshconfig "istio.io/api/mesh/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"
)

// request is a template and what it is evaluated with.
type request struct {
	Template string `json:"template"`
	// Gateway is what istiod has for a Gateway, if the template is for one.
	Gateway *GatewayInput `json:"gateway"`
	// Pod is the pod without injection.
	Pod corev1.Pod `json:"pod"`
	// Workload is what the pod belongs to.
	Workload struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		Name       string `json:"name"`
		Namespace  string `json:"namespace"`
	} `json:"workload"`
	Values map[string]any `json:"values"`
	// Mesh and Proxy are the fields that differ from what istiod compiles in.
	Mesh             json.RawMessage `json:"mesh"`
	Proxy            json.RawMessage `json:"proxy"`
	Revision         string          `json:"revision"`
	Native           bool            `json:"native"`
	User             int64           `json:"user"`
	Group            int64           `json:"group"`
	CompliancePolicy string          `json:"compliancePolicy"`
	// Built is what mesh-inject builds.
	Built json.RawMessage `json:"built"`
}

// templateData is what istiod gives to the templates of its webhook.
type templateData struct {
	TypeMeta                 metav1.TypeMeta
	DeploymentMeta           types.NamespacedName
	ObjectMeta               metav1.ObjectMeta
	Spec                     corev1.PodSpec
	ProxyConfig              *meshconfig.ProxyConfig
	MeshConfig               *meshconfig.MeshConfig
	Values                   map[string]any
	Revision                 string
	NativeSidecars           bool
	ProxyImage               string
	ProxyUID                 int64
	ProxyGID                 int64
	InboundTrafficPolicyMode string
	CompliancePolicy         string
}

// answer is both pods, or the objects of a Gateway, as Kubernetes' types read them.
type answer struct {
	Objects  []any       `json:"objects,omitempty"`
	Rendered *corev1.Pod `json:"rendered,omitempty"`
	Built    *corev1.Pod `json:"built,omitempty"`
	// Error says what failed, and what was rendered if anything was.
	Error string `json:"error,omitempty"`
}

func main() {
	requests := json.NewDecoder(os.Stdin)
	answers := json.NewEncoder(os.Stdout)
	for {
		var r request
		err := requests.Decode(&r)
		if errors.Is(err, io.EOF) {
			return
		}
		if err == nil {
			a, failure := r.answer()
			if failure != nil {
				a = answer{Error: failure.Error()}
			}
			err = answers.Encode(a)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "template-oracle:", err)
			os.Exit(1)
		}
	}
}

func (r *request) answer() (answer, error) {
	text, err := r.render()
	if err != nil {
		return answer{}, err
	}
	if r.Gateway != nil {
		objects, err := objectsIn(string(text))
		return answer{Objects: objects}, err
	}
	// In a merge a null is more than nothing: it removes what the pod has.
	var tree any
	if err := yaml.Unmarshal(text, &tree); err != nil || hasNull(tree) {
		return answer{}, fmt.Errorf("no YAML, or with nulls: %w:\n%s", err, text)
	}
	a := answer{Rendered: &corev1.Pod{}, Built: &corev1.Pod{}}
	if err := yaml.UnmarshalStrict(text, a.Rendered); err != nil {
		return answer{}, fmt.Errorf("no pod: %w:\n%s", err, text)
	}
	return a, json.Unmarshal(r.Built, a.Built)
}

func hasNull(tree any) bool {
	switch tree := tree.(type) {
	case nil:
		return true
	case map[string]any:
		for _, value := range tree {
			if hasNull(value) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(tree, hasNull)
	}
	return false
}

func (r *request) render() ([]byte, error) {
	parsed, err := parse(r.Template)
	if err != nil {
		return nil, err
	}
	mesh := defaultMeshConfig()
	if err := lay(mesh, r.Mesh); err != nil {
		return nil, err
	}
	proxy := defaultProxyConfig()
	if err := lay(proxy, r.Proxy); err != nil {
		return nil, err
	}
	var data any = r.podData(proxy, mesh)
	if r.Gateway != nil {
		data = r.gatewayData(proxy, mesh)
	}
	var out bytes.Buffer
	err = parsed.Execute(&out, data)
	return out.Bytes(), err
}

func (r *request) podData(proxy *meshconfig.ProxyConfig, mesh *meshconfig.MeshConfig) *templateData {
	mode := "passthrough"
	if mesh.GetInboundTrafficPolicy().GetMode() == meshconfig.MeshConfig_InboundTrafficPolicy_LOCALHOST {
		mode = "localhost"
	}
	return &templateData{
		TypeMeta:                 metav1.TypeMeta{APIVersion: r.Workload.APIVersion, Kind: r.Workload.Kind},
		DeploymentMeta:           types.NamespacedName{Namespace: r.Workload.Namespace, Name: r.Workload.Name},
		ObjectMeta:               r.Pod.ObjectMeta,
		Spec:                     r.Pod.Spec,
		ProxyConfig:              proxy,
		MeshConfig:               mesh,
		Values:                   r.Values,
		Revision:                 r.Revision,
		NativeSidecars:           r.Native,
		ProxyUID:                 r.User,
		ProxyGID:                 r.Group,
		InboundTrafficPolicyMode: mode,
		CompliancePolicy:         r.CompliancePolicy,
	}
}

// templates are those that were asked about, by their texts.
var templates = map[string]*template.Template{}

func parse(text string) (*template.Template, error) {
	if parsed, ok := templates[text]; ok {
		return parsed, nil
	}
	parsed, err := template.New("inject").Funcs(sprig.TxtFuncMap()).Funcs(functions()).Parse(text)
	if err == nil {
		templates[text] = parsed
	}
	return parsed, err
}

// lay sets the fields of a message that a JSON object has, and leaves the others as they are.
func lay(message protoiface.MessageV1, fields json.RawMessage) error {
	if len(fields) == 0 || string(fields) == "null" {
		return nil
	}
	// Unlike protojson it does not start with an empty message.
	return (&jsonpb.Unmarshaler{AllowUnknownFields: true}).Unmarshal(bytes.NewReader(fields), message)
}
