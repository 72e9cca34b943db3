/*
Package ketama tells which cache server a key belongs to, by ketama consistent hashing. It is a
binding of the C library libketama.so.1, which agrees point for point with Last.fm's libketama and,
by eleven other dialects, with the clients that differ from it.

	ring, err := ketama.New([]ketama.Server{
		{Name: "10.0.1.1:11211", Weight: 600},
		{Name: "10.0.1.2:11211", Weight: 300},
	}, ketama.Libketama)
	if err != nil {
		return err
	}
	defer ring.Close()
	server := ring.Find("user:42")

A [Ring] is immutable, and any number of goroutines may use one at once. A key is a string of any
bytes, NUL included, or of none.

# Errors

Every error is an [*Error]: a [Status], which [errors.Is] compares with ErrZeroWeight and the
others, and a text. Methods that return no error have none to return.

# Freeing

[Ring.Close] frees a ring, or, where calls of other goroutines are still in it, the last of these
does. To use a ring after that is a defect of the program and panics, as writing to a closed channel
does. A ring that is not closed is freed by the garbage collector; that does not see the library's
memory, so that a program which makes rings by the thousand should close them.

What With and Without return is a ring of its own, and stays when the first is closed. A copy of a
Ring value is the same ring.
*/
package ketama
