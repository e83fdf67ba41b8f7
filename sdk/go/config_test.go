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
	config := Config{Endpoint: "code:2/", RunID: "code-run", RetryFor: new(time.Duration(0))}
	set, err := resolve(config, variables)
	if err != nil {
		t.Fatal(err)
	}
	expected := settings{
		endpoint: "http://code:2", address: "code:2", namespace: "env", runID: "code-run",
	}
	if *set != expected {
		t.Fatalf("%+v", set)
	}

	set, err = resolve(Config{}, map[string]string{"HITL_ENDPOINT": ""})
	if err != nil {
		t.Fatal(err)
	}
	unset := set.endpoint != "http://127.0.0.1:4485" || set.runID != "" || set.launcher == nil
	if unset || set.namespace != "default" || set.retryFor != 30*time.Second {
		t.Fatalf("%+v", set)
	}
}

func TestTheLocalServerFollowsItsVariables(t *testing.T) {
	variables := map[string]string{
		"HITL_PORT": "7001", "HITL_BIN": "/opt/hitl", "HOME": "/users/ada", "XDG_DATA_HOME": "relative",
	}
	set, err := resolve(Config{}, variables)
	if err != nil {
		t.Fatal(err)
	}
	expected := launcher{"127.0.0.1:7001", "/opt/hitl", "/users/ada/.local/share/hitl", startLimit}
	if *set.launcher != expected {
		t.Fatalf("%+v", set.launcher)
	}
	for variable, dir := range map[string]string{"XDG_DATA_HOME": "/xdg/hitl", "HITL_DATA_DIR": "/data"} {
		variables[variable] = strings.TrimSuffix(dir, "/hitl")
		if set, err = resolve(Config{Binary: "mine"}, variables); err != nil {
			t.Fatal(err)
		}
		if set.launcher.dataDir != dir || set.launcher.binary != "mine" {
			t.Fatalf("%+v", set.launcher)
		}
		delete(variables, variable)
	}
}

func TestUnusableSettingsSayWhatToDo(t *testing.T) {
	for _, endpoint := range []string{"https://host", "http://", "a b"} {
		_, err := resolve(Config{Endpoint: endpoint}, nil)
		if !errors.Is(err, Invalid) || !strings.Contains(err.Error(), "http://HOST:PORT") {
			t.Fatal(endpoint, err)
		}
	}
	for _, port := range []string{"x", "0", "65536"} {
		if _, err := resolve(Config{}, map[string]string{"HITL_PORT": port}); !errors.Is(err, Invalid) {
			t.Fatal(port, err)
		}
	}
}
