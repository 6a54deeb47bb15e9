package main

import (
	"fmt"
	"strings"

	meshconfig "istio.io/api/mesh/v1alpha1"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// Gateway has those fields of a Gateway of the Gateway API that the templates read.
type Gateway struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		GatewayClassName string `json:"gatewayClassName"`
		Addresses        []struct {
			Type  *string `json:"type"`
			Value string  `json:"value"`
		} `json:"addresses"`
	} `json:"spec"`
}

// GatewayInput is what istiod works out of a Gateway.
type GatewayInput struct {
	*Gateway                  `json:"gateway"`
	DeploymentName            string
	ServiceAccount            string
	Ports                     []corev1.ServicePort
	ServiceType               corev1.ServiceType
	ClusterID                 string
	KubeVersion               int
	Revision                  string
	ProxyUID                  int64
	ProxyGID                  int64
	CompliancePolicy          string
	InfrastructureLabels      map[string]string
	InfrastructureAnnotations map[string]string
	GatewayNameLabel          string
	IsEastWestGateway         bool
	ControllerLabel           string
}

// gatewayData is what istiod gives to the templates of its Gateway controller.
type gatewayData struct {
	GatewayInput
	ProxyImage  string
	ProxyConfig *meshconfig.ProxyConfig
	MeshConfig  *meshconfig.MeshConfig
	Values      map[string]any
}

func (r *request) gatewayData(proxy *meshconfig.ProxyConfig, mesh *meshconfig.MeshConfig) gatewayData {
	input := *r.Gateway
	input.Revision = r.Revision
	input.ProxyUID = r.User
	input.ProxyGID = r.Group
	input.CompliancePolicy = r.CompliancePolicy
	return gatewayData{GatewayInput: input, ProxyConfig: proxy, MeshConfig: mesh, Values: r.Values}
}

// objectsIn reads each document as the type that it says it is, which must have all of its fields.
func objectsIn(text string) ([]any, error) {
	var objects []any
	for _, document := range strings.Split(text, "\n---\n") {
		var meta metav1.TypeMeta
		if err := yaml.Unmarshal([]byte(document), &meta); err != nil {
			return nil, fmt.Errorf("%w:\n%s", err, document)
		}
		var object any
		switch meta.APIVersion + " " + meta.Kind {
		case "v1 ServiceAccount":
			object = &corev1.ServiceAccount{}
		case "apps/v1 Deployment":
			object = &appsv1.Deployment{}
		case "v1 Service":
			object = &corev1.Service{}
		case "autoscaling/v2 HorizontalPodAutoscaler":
			object = &autoscalingv2.HorizontalPodAutoscaler{}
		case "policy/v1 PodDisruptionBudget":
			object = &policyv1.PodDisruptionBudget{}
		default:
			return nil, fmt.Errorf("istiod does not take a %q:\n%s", meta.Kind, document)
		}
		if err := yaml.UnmarshalStrict([]byte(document), object); err != nil {
			return nil, fmt.Errorf("%w:\n%s", err, document)
		}
		objects = append(objects, object)
	}
	return objects, nil
}
