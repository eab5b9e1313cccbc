// The Kubernetes provider with as much of the generated schema as an import reads: the names of each kind's inputs.
package main

import (
	"encoding/json"
	"reflect"
	"strings"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version"
	"k8s.io/client-go/kubernetes/scheme"
)

type resource struct {
	InputProperties map[string]struct{} `json:"inputProperties"`
}

func main() {
	resources := map[string]resource{}
	for kind, fields := range scheme.Scheme.AllKnownTypes() {
		group := kind.GroupVersion().String()
		if kind.Group == "" {
			group = "core/" + kind.Version
		}
		resources["kubernetes:"+group+":"+kind.Kind] = resource{inputsOf(fields)}
	}
	schema, err := json.Marshal(map[string]any{"name": "kubernetes", "resources": resources})
	if err != nil {
		panic(err)
	}
	provider.Serve("kubernetes", version.Version, schema, []byte("{}"))
}

// All fields but the status.
func inputsOf(fields reflect.Type) map[string]struct{} {
	inputs := map[string]struct{}{"apiVersion": {}, "kind": {}}
	for i := range fields.NumField() {
		name, _, _ := strings.Cut(fields.Field(i).Tag.Get("json"), ",")
		if name != "" && name != "status" {
			inputs[name] = struct{}{}
		}
	}
	return inputs
}
