package deployment

import "testing"

func TestDeploy(t *testing.T) {
	d := Deploy(t)
	if len(d.Objects) != 7 {
		t.Errorf("%d objects", len(d.Objects))
	}
}
