package codec

import "fmt"

func ExampleDwellBucket() {
	from, to := DwellBounds(DwellBucket(1300))
	fmt.Println(from, to)
	// Output: 1.28s 1.536s
}
