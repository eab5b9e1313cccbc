// Reads YAML scalars, a line each, as the engine does, and prints each as JSON.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"gopkg.in/yaml.v3"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var read map[string]any
		err := yaml.Unmarshal([]byte("value: "+lines.Text()+"\n"), &read)
		text, broken := json.Marshal(read["value"])
		if err != nil || broken != nil {
			text = []byte(`"no YAML"`)
		}
		fmt.Println(string(text))
	}
}
