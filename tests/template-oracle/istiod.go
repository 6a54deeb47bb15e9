package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"strings"
	"text/template"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	meshconfig "istio.io/api/mesh/v1alpha1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// functions are those that istiod has beside sprig's, as far as the templates use them.
func functions() template.FuncMap {
	return template.FuncMap{
		"annotation": func(meta metav1.ObjectMeta, name string, otherwise any) string {
			if value, ok := meta.Annotations[name]; ok {
				return value
			}
			return fmt.Sprint(otherwise)
		},
		"isset": func(entries map[string]string, key string) bool {
			_, ok := entries[key]
			return ok
		},
		"contains":  func(part, whole string) bool { return strings.Contains(whole, part) },
		"directory": func(file string) string { folder, _ := path.Split(file); return folder },
		"toYaml": func(value any) (string, error) {
			text, err := yaml.Marshal(value)
			return string(text), err
		},
		"structToJSON": func(value any) (string, error) {
			if value == nil {
				return "{}", nil
			}
			text, err := json.Marshal(value)
			return string(text), err
		},
		"fromJSON": func(text string) any {
			var value any
			if json.Unmarshal([]byte(text), &value) != nil {
				return "{}"
			}
			return value
		},
		"protoToJSON":         protoToJSON,
		"excludeInboundPort":  excludeInboundPort,
		"appendMultusNetwork": appendMultusNetwork,
	}
}

// protoToJSON leaves out the fields of a ProxyConfig that the agent assumes anyway.
func protoToJSON(message proto.Message) (string, error) {
	if config, ok := message.(*meshconfig.ProxyConfig); ok {
		assumed := defaultProxyConfig().ProtoReflect()
		cleaned := proto.Clone(config).ProtoReflect()
		fields := cleaned.Descriptor().Fields()
		for i := range fields.Len() {
			field := fields.Get(i)
			if assumed.Has(field) && cleaned.Get(field).Equal(assumed.Get(field)) {
				cleaned.Clear(field)
			}
		}
		message = cleaned.Interface()
	}
	text, err := protojson.Marshal(message)
	if err != nil {
		return "", err
	}
	// Its blanks are random.
	var compact bytes.Buffer
	err = json.Compact(&compact, text)
	return compact.String(), err
}

// excludeInboundPort adds a port to a list, unless it is 0 or in it.
func excludeInboundPort(port any, excluded string) string {
	added := strings.TrimSpace(fmt.Sprint(port))
	if added == "" || added == "0" {
		return excluded
	}
	var ports []string
	for _, other := range strings.Split(excluded, ",") {
		if other == added {
			return excluded
		}
		if other = strings.TrimSpace(other); other != "" {
			ports = append(ports, other)
		}
	}
	return strings.Join(append(ports, added), ",")
}

// appendMultusNetwork adds a network, given as namespace/name, to a list that is plain or JSON.
func appendMultusNetwork(networks, added string) string {
	if networks == "" {
		return added
	}
	namespace, name, _ := strings.Cut(added, "/")
	if end := strings.LastIndex(networks, "]"); end >= 0 {
		var list []map[string]any
		if json.Unmarshal([]byte(networks), &list) != nil {
			return networks
		}
		for _, network := range list {
			if network["name"] == name && network["namespace"] == namespace {
				return networks
			}
		}
		return fmt.Sprintf(`%s, {"name": "%s", "namespace": "%s"}%s`, networks[:end], name, namespace, networks[end:])
	}
	for _, network := range strings.Split(networks, ",") {
		if strings.TrimSpace(network) == added {
			return networks
		}
	}
	return networks + ", " + added
}

// defaultProxyConfig is what istiod compiles in.
func defaultProxyConfig() *meshconfig.ProxyConfig {
	return &meshconfig.ProxyConfig{
		ConfigPath:               "./etc/istio/proxy",
		BinaryPath:               "/usr/local/bin/envoy",
		ClusterName:              &meshconfig.ProxyConfig_ServiceCluster{ServiceCluster: "istio-proxy"},
		DrainDuration:            durationpb.New(45 * time.Second),
		TerminationDrainDuration: durationpb.New(5 * time.Second),
		DiscoveryAddress:         "istiod.istio-system.svc:15012",
		ProxyAdminPort:           15000,
		ControlPlaneAuthPolicy:   meshconfig.AuthenticationPolicy_MUTUAL_TLS,
		StatNameLength:           189,
		StatusPort:               15020,
		InterceptionMode:         meshconfig.ProxyConfig_REDIRECT,
	}
}

// defaultMeshConfig has those fields of what istiod compiles in that the templates read.
func defaultMeshConfig() *meshconfig.MeshConfig {
	return &meshconfig.MeshConfig{
		ProxyListenPort:        15001,
		ProxyInboundListenPort: 15006,
		TrustDomain:            "cluster.local",
		RootNamespace:          "istio-system",
		DefaultConfig:          defaultProxyConfig(),
	}
}
