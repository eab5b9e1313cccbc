// The OpenTelemetry collector with the components that the platform's configuration names, and no others.
package main

import (
	"errors"
	"log"

	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/awsemfexporter"
	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/healthcheckextension"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/cumulativetodeltaprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/resourceprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/prometheusreceiver"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/receiver"
)

func main() {
	command := otelcol.NewCommand(otelcol.CollectorSettings{
		BuildInfo: component.BuildInfo{Command: "otelcol", Version: "0.130.0"},
		Factories: factories,
		ConfigProviderSettings: otelcol.ConfigProviderSettings{
			ResolverSettings: confmap.ResolverSettings{
				ProviderFactories: []confmap.ProviderFactory{fileprovider.NewFactory()},
				DefaultScheme:     "file",
			},
		},
	})
	if err := command.Execute(); err != nil {
		log.Fatal(err)
	}
}

func factories() (found otelcol.Factories, err error) {
	var failures [4]error
	found.Receivers, failures[0] = otelcol.MakeFactoryMap[receiver.Factory](prometheusreceiver.NewFactory())
	found.Processors, failures[1] = otelcol.MakeFactoryMap[processor.Factory](
		cumulativetodeltaprocessor.NewFactory(), resourceprocessor.NewFactory())
	found.Exporters, failures[2] = otelcol.MakeFactoryMap[exporter.Factory](awsemfexporter.NewFactory())
	found.Extensions, failures[3] = otelcol.MakeFactoryMap[extension.Factory](healthcheckextension.NewFactory())
	return found, errors.Join(failures[:]...)
}
