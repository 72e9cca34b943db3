package ketama_test

import (
	"fmt"
	"log"

	"ketama"
)

func Example() {
	ring, err := ketama.New([]ketama.Server{
		{Name: "10.0.1.1:11211", Weight: 600},
		{Name: "10.0.1.2:11211", Weight: 300},
		{Name: "10.0.1.3:11211", Weight: 200},
	}, ketama.Libketama)
	if err != nil {
		log.Fatal(err)
	}
	defer ring.Close()

	fmt.Println(ring.Find("user:42"))
	fmt.Println(ring.FindMany([]string{"user:10", "user:15", "user:20"}))
	fmt.Println(ring.Walk("user:42", 2))

	down := "10.0.1.1:11211"
	server, ok := ring.FindAlive("user:42", func(server string) bool { return server != down })
	fmt.Println(server, ok)

	smaller, err := ring.Without("10.0.1.3:11211")
	if err != nil {
		log.Fatal(err)
	}
	defer smaller.Close()
	comparison, err := ring.Compare(smaller)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.1f%% of the keys move\n", 100*comparison.Moved)
	for _, move := range comparison.Moves {
		fmt.Printf("%s to %s: %.1f%%\n", move.From, move.To, 100*move.Share)
	}

	// Output:
	// 10.0.1.1:11211
	// [10.0.1.2:11211 10.0.1.3:11211 10.0.1.1:11211]
	// [10.0.1.1:11211 10.0.1.3:11211]
	// 10.0.1.3:11211 true
	// 20.8% of the keys move
	// 10.0.1.1:11211 to 10.0.1.2:11211: 3.3%
	// 10.0.1.2:11211 to 10.0.1.1:11211: 2.5%
	// 10.0.1.3:11211 to 10.0.1.1:11211: 10.5%
	// 10.0.1.3:11211 to 10.0.1.2:11211: 4.5%
}
