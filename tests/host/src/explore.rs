// SPDX-License-Identifier: GPL-2.0

//! Running loom so that its silence means something.
//!
//! loom 0.7 leaves interleavings out in two cases, and says nothing:
//!
//! - When a thread's first access to shared memory is a load, a test may see a
//!   single execution. So each thread of a model begins with [`Gate::pass`].
//! - For a store it looks at the last access to the same atomic only. A thread
//!   that loads its own counter just before it stores to it hides by that load
//!   the other side's, and the store is never tried before it. So [`Shared`]
//!   keeps what its writer reads of it out of loom's sight.
//!
//! In both cases wrong orderings pass, in the second after thousands of
//! executions. Hence the rules of this file: the number of executions is
//! asserted, so are the outcomes that must have come up in one of them, and
//! [`finds_fault`] proves for each rule that the model fails without it.
//!
//! What the threads of a model share is in an [`Rc`]: loom runs all of them on
//! one thread, and its `Arc` would add the interleavings of a reference count.

use crate::pure::ring::Counter;
use loom::cell::Cell;
use loom::sync::atomic::{AtomicUsize, Ordering};
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::rc::Rc;
use std::sync::{Arc, Mutex};

/// Something that all threads of a model write to at their start.
///
/// The accesses are relaxed: they order nothing else.
pub(crate) struct Gate(AtomicUsize);

impl Gate {
    pub(crate) fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    pub(crate) fn pass(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A counter under loom, with the orderings that it *really* uses, so that a
/// variant can weaken one.
///
/// Relaxed loads are for the side that writes the counter: it reads what it
/// last stored. They come from a cell, in which loom finds it as a race if the
/// other side uses them too.
pub(crate) struct Shared {
    value: AtomicUsize,
    own: Cell<usize>,
    acquire: Ordering,
    release: Ordering,
}

impl Shared {
    /// Makes a counter that keeps its word.
    pub(crate) fn new(value: usize) -> Self {
        Self {
            value: AtomicUsize::new(value),
            own: Cell::new(value),
            acquire: Ordering::Acquire,
            release: Ordering::Release,
        }
    }

    /// Weakens its acquire loads.
    pub(crate) fn relaxed_loads(mut self) -> Self {
        self.acquire = Ordering::Relaxed;
        self
    }

    /// Weakens its release stores.
    pub(crate) fn relaxed_stores(mut self) -> Self {
        self.release = Ordering::Relaxed;
        self
    }
}

impl Counter for Shared {
    fn load_relaxed(&self) -> usize {
        self.own.get()
    }

    fn load_acquire(&self) -> usize {
        self.value.load(self.acquire)
    }

    fn store_release(&self, value: usize) {
        self.own.set(value);
        self.value.store(value, self.release);
    }
}

/// The same counter for more than one view.
impl Counter for Rc<Shared> {
    fn load_relaxed(&self) -> usize {
        (**self).load_relaxed()
    }

    fn load_acquire(&self) -> usize {
        (**self).load_acquire()
    }

    fn store_release(&self, value: usize) {
        (**self).store_release(value);
    }
}

/// What came out of a model's executions.
pub(crate) struct Outcomes<T>(Arc<Mutex<BTreeSet<T>>>);

impl<T> Clone for Outcomes<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Ord + Clone + Debug> Outcomes<T> {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    /// Notes what came out of one execution.
    pub(crate) fn note(&self, outcome: T) {
        self.0.lock().unwrap().insert(outcome);
    }

    /// Returns everything that came out, in order.
    pub(crate) fn all(&self) -> Vec<T> {
        self.0.lock().unwrap().iter().cloned().collect()
    }
}

/// A loom without limits, whatever the environment says.
fn unlimited() -> loom::model::Builder {
    let mut builder = loom::model::Builder::new();
    builder.max_branches = 1_000;
    builder.max_permutations = None;
    builder.max_duration = None;
    builder.preemption_bound = None;
    builder.checkpoint_file = None;
    builder.log = false;
    builder
}

/// Runs the model in every interleaving, of which there must be `at_least` so
/// many.
///
/// The floor is there to notice a model that has quietly become trivial; it is
/// meant to be somewhat below the number printed.
pub(crate) fn explore(name: &str, at_least: usize, model: impl Fn() + Send + Sync + 'static) {
    let executions = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = executions.clone();
    unlimited().check(move || {
        counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        model();
    });
    let executions = executions.load(std::sync::atomic::Ordering::Relaxed);
    println!("loom: {name}: {executions} executions");
    assert!(
        executions >= at_least,
        "{name}: loom explored {executions} executions only, expected {at_least} or more"
    );
}

/// Runs a model with a fault built in, which loom must find: it fails with a
/// message that contains one of `symptoms`.
pub(crate) fn finds_fault(name: &str, symptoms: &[&str], model: impl Fn() + Send + Sync + 'static) {
    let executions = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = executions.clone();
    let result = catch_unwind(AssertUnwindSafe(|| {
        unlimited().check(move || {
            counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            model();
        });
    }));
    let executions = executions.load(std::sync::atomic::Ordering::Relaxed);
    let Err(payload) = result else {
        panic!("{name}: loom found nothing wrong in {executions} executions");
    };
    let message = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without a message");
    println!("loom: {name}: fault found in execution {executions}: {message}");
    assert!(
        symptoms.iter().any(|symptom| message.contains(symptom)),
        "{name}: failed for another reason than expected: {message}"
    );
}

/// What loom says of two threads at the same memory.
pub(crate) const RACE: &str = "Causality violation";

/// What loom says when every thread sleeps.
pub(crate) const DEADLOCK: &str = "deadlock";

#[test]
#[should_panic(expected = "expected 1000 or more")]
fn a_model_with_too_few_executions_is_noticed() {
    explore("nothing to interleave", 1000, || {});
}

#[test]
#[should_panic(expected = "loom found nothing wrong")]
fn a_faultless_model_does_not_pass_as_a_faulty_one() {
    finds_fault("nothing wrong", &[RACE], || {});
}

#[test]
#[should_panic(expected = "failed for another reason")]
fn another_failure_does_not_pass_as_the_expected_one() {
    finds_fault("wrong in another way", &[RACE], || panic!("something else"));
}
