package hitl

import (
	"context"
	"errors"
	"net"
	"testing"

	"google.golang.org/grpc/codes"
)

func TestTheDerivationNeverChanges(t *testing.T) {
	// printf 'r\nn\n1' | sha256sum
	expected := "run-b1782565ffd03f55c14560a1cd6def44fa03e5808e228626e97a8192ac01eff7"
	if key := (series{"default", "r", "n"}).key(1); key != expected {
		t.Fatal(key)
	}
}

func TestANumberThatMadeNoEventGoesToTheNextOne(t *testing.T) {
	row, counter := series{"n", "r", "a"}, newCounter()
	for number := range uint64(3) {
		if taken := counter.take(row); taken != number+1 {
			t.Fatal(taken)
		}
	}
	counter.giveBack(row, 2)
	counter.giveBack(row, 1)
	for _, expected := range []uint64{1, 2, 4} {
		if taken := counter.take(row); taken != expected {
			t.Fatal(taken, expected)
		}
	}
	if other := counter.take(series{"n", "other", "a"}); other != 1 {
		t.Fatal(other)
	}
}

func TestWithoutARunNoTwoKeysAreAlike(t *testing.T) {
	if first, second := once(), once(); first == second || len(first) != 32 {
		t.Fatal(first, second)
	}
}

func TestClientsOfOneRunShareItsCountAndAFailedCreateLeavesItsNumber(t *testing.T) {
	refused := refusal(codes.InvalidArgument, "ERROR_REASON_INVALID_REQUEST", "hitl.v1")
	script := &script{failures: []error{nil, refused}}
	run := once() // The count is the process's, and tests may run twice in one.
	scripted(t, script, Config{RunID: run}, func(t *testing.T, client *Client) {
		dial := func(ctx context.Context) (net.Conn, error) { return client.dial(ctx, localEndpoint) }
		second := clientOf(t, Config{RunID: run}, dial)
		defer second.Close()
		create := func(client *Client, options ...Option) (string, error) {
			event, err := Create(t.Context(), client, "n", "?", Bool(), options...)
			if err != nil {
				return "", err
			}
			return event.ID(), nil
		}
		row := series{"default", run, "n"}
		if id, _ := create(client); id != row.key(1) {
			t.Fatal(id)
		}
		if _, err := create(second); !errors.Is(err, Invalid) {
			t.Fatal(err)
		}
		if id, _ := create(second); id != row.key(2) {
			t.Fatal(id)
		}
		if id, _ := create(client, IdempotencyKey("mine")); id != "mine" {
			t.Fatal(id)
		}
		if id, _ := create(client); id != row.key(3) {
			t.Fatal(id)
		}
	})
}
