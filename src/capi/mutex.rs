//! A lock made of the C library's mutex, which race detectors know; they see nothing of the one in
//! `std`.

use std::cell::UnsafeCell;
use std::ops::{Deref, DerefMut};

#[derive(Default)]
pub(super) struct Mutex<T> {
    lock: Lock,
    value: UnsafeCell<T>,
}

struct Lock(UnsafeCell<libc::pthread_mutex_t>);

impl Default for Lock {
    fn default() -> Lock {
        Lock(UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER))
    }
}

// SAFETY: `value` is reached through a guard alone, and only the one thread that holds the lock has
// one.
unsafe impl<T: Send> Sync for Mutex<T> {}

/// The lock, held.
pub(super) struct Guard<'a, T>(&'a Mutex<T>);

impl<T> Mutex<T> {
    /// Waits for the lock. It stays where it is from then on: the C library may go by its address.
    pub(super) fn lock(&'static self) -> Guard<'static, T> {
        // SAFETY: initialised, and never moved. A mutex of the default kind fails for no other
        // reason.
        unsafe { libc::pthread_mutex_lock(self.lock.0.get()) };
        Guard(self)
    }

    /// Takes the lock if it is free.
    pub(super) fn try_lock(&'static self) -> Option<Guard<'static, T>> {
        // SAFETY: as above.
        let result = unsafe { libc::pthread_mutex_trylock(self.lock.0.get()) };
        (result == 0).then(|| Guard(self))
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: this thread holds the lock.
        unsafe { &*self.0.value.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this thread holds the lock, and `self` is its only guard.
        unsafe { &mut *self.0.value.get() }
    }
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        // SAFETY: this thread holds the lock.
        unsafe { libc::pthread_mutex_unlock(self.0.lock.0.get()) };
    }
}
