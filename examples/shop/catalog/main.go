// Command catalog is the shop's price list: a long-running service as any team would write it, which knows nothing of
// devstack. It listens where PORT says, on loopback unless HOST says otherwise.
package main

import (
	"cmp"
	"encoding/json"
	"log"
	"net"
	"net/http"
	"os"
)

// prices are in cents.
var prices = map[string]int{"tea": 450, "coffee": 620, "cake": 380, "yacht": 120_000_00}

func main() {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("GET /catalog/products", func(w http.ResponseWriter, _ *http.Request) { answer(w, prices) })
	mux.HandleFunc("GET /catalog/products/{name}", func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("name")
		price, ok := prices[name]
		if !ok {
			http.Error(w, "no such product", http.StatusNotFound)
			return
		}
		answer(w, map[string]any{"product": name, "price": price})
	})
	addr := net.JoinHostPort(cmp.Or(os.Getenv("HOST"), "127.0.0.1"), os.Getenv("PORT"))
	log.Printf("the catalog has %d products, on %s", len(prices), addr)
	log.Fatal(http.ListenAndServe(addr, mux))
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		log.Print(err)
	}
}
