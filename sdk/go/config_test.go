package hitl

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func resolve(config Config, variables map[string]string) (*settings, error) {
	return config.resolve(func(name string) string { return variables[name] })
}

func TestCodeWinsOverEnvironmentOverDefault(t *testing.T) {
	variables := map[string]string{
		"HITL_ENDPOINT": "http://env:1", "HITL_NAMESPACE": "env", "HITL_RUN_ID": "env-run",
	}
	config := Config{Endpoint: "code:2/", RunID: "code-run", RetryFor: &noRetries}
	set, err := resolve(config, variables)
	if err != nil {
		t.Fatal(err)
	}
	if set.endpoints[0].String() != "http://code:2" || set.namespace != "env" || set.runID != "code-run" ||
		set.limits.retryFor != 0 || !set.limits.isPatient || set.local != nil {
		t.Fatalf("%+v", set)
	}

	set, err = resolve(Config{}, map[string]string{"HITL_ENDPOINT": ""})
	if err != nil {
		t.Fatal(err)
	}
	unset := set.endpoints[0].String() != "http://127.0.0.1" || set.runID != "" || set.local == nil
	if unset || set.namespace != "default" || set.limits.retryFor != 30*time.Second {
		t.Fatalf("%+v", set)
	}
}

func TestTheProgramIsThatOfTheCodeOrOfTheEnvironment(t *testing.T) {
	for given, expected := range map[string]string{"": "/opt/hitl", "mine": "mine"} {
		set, err := resolve(Config{Binary: given}, map[string]string{"HITL_BIN": "/opt/hitl"})
		if err != nil || set.local.binary != expected {
			t.Fatalf("%+v %v", set, err)
		}
	}
}

func TestUnusableSettingsSayWhatToDo(t *testing.T) {
	for _, endpoint := range []string{"ftp://host", "http://", "a b"} {
		_, err := resolve(Config{Endpoint: endpoint}, nil)
		if !errors.Is(err, Invalid) || !strings.Contains(err.Error(), "http://HOST:PORT") {
			t.Fatal(endpoint, err)
		}
	}
}
