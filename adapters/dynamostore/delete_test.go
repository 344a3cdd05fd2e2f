package dynamostore_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"serverless-websocket/adapters/dynamostore"
	"serverless-websocket/domain"
	"serverless-websocket/integration/environments/awslocal"
)

// TestABatchThatFailsLeavesTheOthers has DynamoDB always refuse the first batch of a
// deletion, and accept the other two.
func TestABatchThatFailsLeavesTheOthers(t *testing.T) {
	var refused atomic.Value // the key that the first item of the refused batch has
	store, direct := behind(t, dynamostore.Options{MaxAttempts: 2},
		func(w http.ResponseWriter, r *http.Request, _ string, next http.Handler) {
			request := batchOf(r)
			for _, items := range request.RequestItems {
				refused.CompareAndSwap(nil, string(items[0]))
				if refused.Load() == string(items[0]) {
					awslocal.WriteError(w, http.StatusBadRequest, "ProvisionedThroughputExceededException")
					return
				}
			}
			send(r, request)
			next.ServeHTTP(w, r)
		})
	var ids []domain.ConnectionID
	for i := range 75 {
		ids = append(ids, domain.ConnectionID(fmt.Sprint(i)))
		put(t, direct, live(ids[i]))
	}
	err := store.Delete(t.Context(), ids...)
	if err == nil || !strings.Contains(err.Error(), "delete 25 of 75 rows") {
		t.Errorf("got %v", err)
	}
	if left := scan(t, direct, domain.Segment{})[0].Connections; len(left) != 25 {
		t.Errorf("the table holds %d rows, want those of the batch that failed", len(left))
	}
}
