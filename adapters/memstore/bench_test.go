package memstore

import (
	"context"
	"fmt"
	"testing"
	"time"

	"serverless-websocket/domain"
)

func filled(b *testing.B, rows, pageSize int) *Store {
	store := New(pageSize)
	for i := range rows {
		put(b, store, domain.ConnectionID(fmt.Sprintf("L0SM9c%07dIhw=", i)), time.Hour)
	}
	return store
}

// BenchmarkScan makes one pass over the whole table.
func BenchmarkScan(b *testing.B) {
	for _, rows := range []int{5_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(rows), func(b *testing.B) {
			store := filled(b, rows, 0)
			b.ReportAllocs()
			for b.Loop() {
				from, found := domain.Cursor(""), 0
				for {
					page, err := store.Scan(context.Background(), domain.Segment{}, from)
					if err != nil {
						b.Fatal(err)
					}
					found += len(page.Connections)
					if from = page.Next; from == "" {
						break
					}
				}
				if found != rows {
					b.Fatalf("found %d rows", found)
				}
			}
		})
	}
}

// BenchmarkPutDelete adds and removes one connection.
func BenchmarkPutDelete(b *testing.B) {
	for _, rows := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(rows), func(b *testing.B) {
			store := filled(b, rows, 0)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				id := domain.ConnectionID(fmt.Sprintf("M0SM9c%07dIhw=", i))
				i++
				put(b, store, id, time.Hour)
				if err := store.Delete(context.Background(), id); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
