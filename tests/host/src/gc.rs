// SPDX-License-Identifier: GPL-2.0

//! Garbage among sockets in flight, against naive reachability.

use crate::pure::gc::{collect, waits_for_collector, BadGraph, Edge, Vertex};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::cell::Cell;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// A graph: how many references each socket has outside of queues, and which
/// socket is in the queue of which.
#[derive(Clone, Debug, Default, PartialEq)]
struct Graph {
    held: Vec<u32>,
    edges: Vec<(u32, Option<u32>)>,
}

impl Graph {
    fn new(held: &[u32], edges: &[(u32, Option<u32>)]) -> Self {
        Self {
            held: held.to_vec(),
            edges: edges.to_vec(),
        }
    }

    fn carried(&self, socket: usize) -> u32 {
        let carried = self.edges.iter().filter(|e| e.0 as usize == socket);
        carried.count() as u32
    }

    /// Returns what a snapshot of the graph would be.
    fn arrays(&self) -> (Vec<Vertex>, Vec<Edge>) {
        let mut references = self.held.clone();
        for &(socket, _) in &self.edges {
            references[socket as usize] += 1;
        }
        (
            references.into_iter().map(Vertex::new).collect(),
            self.edges.iter().map(|&(s, q)| Edge::new(s, q)).collect(),
        )
    }

    fn garbage(&self) -> Vec<bool> {
        let (mut vertices, mut edges) = self.arrays();
        let count = collect(&mut vertices, &mut edges);
        let garbage = verdicts(&vertices);
        assert_eq!(count, Ok(garbage.iter().filter(|&&g| g).count()));
        garbage
    }

    /// The rule, applied until nothing changes any more.
    fn model(&self) -> Vec<bool> {
        let mut alive: Vec<bool> = self.held.iter().map(|&held| held > 0).collect();
        loop {
            let before = alive.clone();
            for &(socket, queue) in &self.edges {
                alive[socket as usize] |= queue.is_none_or(|queue| before[queue as usize]);
            }
            if alive == before {
                return alive.into_iter().map(|alive| !alive).collect();
            }
        }
    }

    /// Which socket can be come to from which, along edges within the graph.
    fn closure(&self) -> Vec<Vec<bool>> {
        let n = self.held.len();
        let mut to = vec![vec![false; n]; n];
        for &(socket, queue) in &self.edges {
            if let Some(queue) = queue {
                to[socket as usize][queue as usize] = true;
            }
        }
        for via in 0..n {
            for from in 0..n {
                for dest in 0..n {
                    to[from][dest] |= to[from][via] && to[via][dest];
                }
            }
        }
        to
    }

    /// The rule of AF_UNIX: the sockets of dead components.
    fn dead_components(&self) -> Vec<bool> {
        let to = self.closure();
        let n = self.held.len();
        let together = |a: usize, b: usize| a == b || (to[a][b] && to[b][a]);
        let held_by_itself = |socket: usize| {
            self.held[socket] == 0
                && self.edges.iter().all(|&(s, queue)| {
                    s as usize != socket || queue.is_some_and(|q| together(socket, q as usize))
                })
        };
        (0..n)
            .map(|one| (0..n).all(|other| !together(one, other) || held_by_itself(other)))
            .collect()
    }

    /// Runs the rule of AF_UNIX again and again, emptying the queues of what it
    /// finds dead; returns the garbage and the number of runs that found some.
    fn dead_in_the_end(&self) -> (Vec<bool>, usize) {
        let mut graph = self.clone();
        let mut dead = vec![false; self.held.len()];
        for runs in 0.. {
            let now = graph.dead_components();
            if now == dead {
                return (dead, runs);
            }
            graph
                .edges
                .retain(|&(_, queue)| !queue.is_some_and(|queue| now[queue as usize]));
            assert!((0..dead.len()).all(|i| now[i] || !dead[i]));
            dead = now;
        }
        unreachable!()
    }
}

fn verdicts(vertices: &[Vertex]) -> Vec<bool> {
    vertices.iter().map(Vertex::is_garbage).collect()
}

/// Graphs with up to `sockets` sockets. In each graph the edges are as dense,
/// and references and queues outside of it as common, as its own lot says.
fn graph(sockets: usize) -> impl Strategy<Value = Graph> {
    let lot = (1..=sockets, 0..5usize, 0..4u32, 0..4u32);
    lot.prop_flat_map(|(n, dense, holding, outside)| {
        let held = prop_oneof![8 => Just(0u32), holding => 1..3u32];
        let socket = 0..n as u32;
        let queue = prop_oneof![
            16 => socket.clone().prop_map(Some),
            outside => Just(None),
        ];
        (vec(held, n), vec((socket, queue), 0..=n * dense / 2 + 1))
            .prop_map(|(held, edges)| Graph { held, edges })
    })
}

/// Calls `check` with that many graphs, and tells how many there were of which
/// it returned `true`.
fn run(cases: u32, sockets: usize, check: impl Fn(&Graph) -> bool) -> u32 {
    let (runs, hits) = (Cell::new(0), Cell::new(0));
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&graph(sockets), |graph| {
            runs.set(runs.get() + 1);
            hits.set(hits.get() + u32::from(check(&graph)));
            Ok(())
        })
        .unwrap_or_else(|e| panic!("{e}"));
    assert!(runs.get() >= cases);
    hits.get()
}

/// Every graph of `n` sockets with up to `most` references to the same one in
/// the same queue, each socket held or not.
fn every_graph(n: u32, most: u32, mut visit: impl FnMut(&Graph)) {
    let places = n * (n + 1);
    for mut code in 0..(most + 1).pow(places) {
        let mut edges = Vec::new();
        for place in 0..places {
            let queue = Some(place / n).filter(|&queue| queue < n);
            edges.extend((0..code % (most + 1)).map(|_| (place % n, queue)));
            code /= most + 1;
        }
        for held in 0..1u32 << n {
            let held = (0..n).map(|socket| (held >> socket) & 1).collect();
            let edges = edges.clone();
            visit(&Graph { held, edges });
        }
    }
}

#[test]
fn every_small_graph_has_the_garbage_of_the_model() {
    for (n, most, expected) in [(0, 1, 1), (1, 3, 32), (2, 2, 2_916), (3, 1, 32_768)] {
        let mut graphs = 0;
        every_graph(n, most, |graph| {
            assert_eq!(graph.garbage(), graph.model(), "{graph:?}");
            graphs += 1;
        });
        assert_eq!(graphs, expected);
    }
}

#[test]
fn random_graphs_have_the_garbage_of_the_model() {
    let mixed = run(100_000, 12, |graph| {
        let garbage = graph.garbage();
        assert_eq!(garbage, graph.model());
        garbage.contains(&true) && garbage.contains(&false)
    });
    println!("graphs of 12: {mixed} of 100000 with both verdicts");
    assert!(mixed > 20_000, "{mixed}");
    let mixed = run(4_000, 100, |graph| {
        let garbage = graph.garbage();
        assert_eq!(garbage, graph.model());
        garbage.contains(&true) && garbage.contains(&false)
    });
    println!("graphs of 100: {mixed} of 4000 with both verdicts");
    assert!(mixed > 400, "{mixed}");
}

/// The garbage is what AF_UNIX would find as well, which may need several runs.
#[test]
fn components_give_the_same_garbage_in_the_end() {
    let more_than_one_run = run(20_000, 9, |graph| {
        let (dead, runs) = graph.dead_in_the_end();
        assert_eq!(graph.garbage(), dead);
        runs > 1
    });
    println!("components: {more_than_one_run} of 20000 need more than one run");
    assert!(more_than_one_run > 1_000, "{more_than_one_run}");
}

#[test]
fn no_reference_to_garbage_is_left_when_its_queues_are_emptied() {
    run(5_000, 20, |graph| {
        let garbage = graph.garbage();
        let mut purged = graph.clone();
        let kept = |queue: Option<u32>| !queue.is_some_and(|queue| garbage[queue as usize]);
        purged.edges.retain(|&(_, queue)| kept(queue));
        for (socket, garbage) in garbage.iter().enumerate() {
            assert!(!garbage || purged.held[socket] + purged.carried(socket) == 0);
        }
        true
    });
}

#[test]
fn neither_the_order_of_edges_nor_a_second_run_changes_the_verdict() {
    run(5_000, 20, |graph| {
        let garbage = graph.garbage();
        let mut reversed = graph.clone();
        reversed.edges.reverse();
        assert_eq!(reversed.garbage(), garbage);

        let (mut vertices, mut edges) = graph.arrays();
        let first = collect(&mut vertices, &mut edges);
        // What another run left behind is of no meaning to the next.
        edges.reverse();
        assert_eq!(collect(&mut vertices, &mut edges), first);
        assert_eq!(verdicts(&vertices), garbage);
        true
    });
}

#[test]
fn a_kept_socket_is_as_good_as_a_held_one() {
    run(5_000, 20, |graph| {
        let mut held = graph.clone();
        held.held[0] += 1;
        let (mut vertices, mut edges) = graph.arrays();
        vertices[0].keep();
        collect(&mut vertices, &mut edges).unwrap();
        assert_eq!(verdicts(&vertices), held.model());
        // It stays kept, and nothing else does.
        collect(&mut vertices, &mut edges).unwrap();
        assert_eq!(verdicts(&vertices), held.model());
        true
    });
}

// --- Variants that are wrong --------------------------------------------------

/// Tells whether a variant's verdict differs from the model on some small graph.
fn differs(variant: impl Fn(&Graph) -> Vec<bool>) -> bool {
    let mut differs = false;
    every_graph(3, 1, |graph| differs |= variant(graph) != graph.model());
    differs
}

#[test]
fn the_right_one_is_found_right() {
    assert!(!differs(Graph::garbage));
    assert!(!differs(|graph| graph.dead_in_the_end().0));
}

#[test]
fn references_outside_of_queues_count() {
    assert!(differs(|graph| {
        let mut graph = graph.clone();
        graph.held.fill(0);
        graph.garbage()
    }));
}

#[test]
fn queues_outside_of_the_graph_count() {
    assert!(differs(|graph| {
        let (mut vertices, _) = graph.arrays();
        // Each such reference is taken for one in the socket's own queue.
        let own = |&(s, q): &(u32, Option<u32>)| Edge::new(s, q.or(Some(s)));
        let mut edges: Vec<Edge> = graph.edges.iter().map(own).collect();
        collect(&mut vertices, &mut edges).unwrap();
        verdicts(&vertices)
    }));
}

#[test]
fn life_goes_from_a_socket_to_what_is_in_its_queue() {
    assert!(differs(|graph| {
        let mut reversed = graph.clone();
        for (socket, queue) in &mut reversed.edges {
            if let Some(queue) = queue {
                std::mem::swap(socket, queue);
            }
        }
        reversed.garbage()
    }));
}

#[test]
fn life_goes_further_than_to_the_next() {
    assert!(differs(|graph| {
        let root = |socket: u32| {
            let outside = graph.edges.contains(&(socket, None));
            outside || graph.held[socket as usize] > 0
        };
        let next = |&(_, queue): &(u32, Option<u32>)| queue.is_some_and(root);
        (0..graph.held.len() as u32)
            .map(|socket| !root(socket) && !graph.edges.iter().any(|e| e.0 == socket && next(e)))
            .collect()
    }));
}

#[test]
fn components_in_a_single_run_are_not_enough() {
    assert!(differs(Graph::dead_components));
}

// --- Graphs with a name -------------------------------------------------------

/// A graph, and which of its sockets are garbage.
#[track_caller]
fn expect(held: &[u32], edges: &[(u32, Option<u32>)], garbage: &[u32]) {
    let graph = Graph::new(held, edges);
    let expected: Vec<bool> = (0..held.len() as u32)
        .map(|i| garbage.contains(&i))
        .collect();
    assert_eq!(graph.garbage(), expected);
    assert_eq!(graph.model(), expected);
}

#[test]
fn an_empty_graph_has_no_garbage() {
    expect(&[], &[], &[]);
}

#[test]
fn a_socket_in_its_own_queue() {
    expect(&[0], &[(0, Some(0))], &[0]);
    expect(&[0], &[(0, Some(0)), (0, Some(0))], &[0]);
    expect(&[1], &[(0, Some(0))], &[]);
    expect(&[0], &[(0, Some(0)), (0, None)], &[]);
}

#[test]
fn two_sockets_in_the_queues_of_each_other() {
    let ring = [(0, Some(1)), (1, Some(0))];
    expect(&[0, 0], &ring, &[0, 1]);
    expect(&[1, 0], &ring, &[]);
    expect(&[0, 1], &ring, &[]);
}

#[test]
fn a_triangle_and_what_hangs_on_it() {
    let triangle = [(0, Some(1)), (1, Some(2)), (2, Some(0))];
    expect(&[0, 0, 0], &triangle, &[0, 1, 2]);
    expect(&[0, 2, 0], &triangle, &[]);
    // In the queue of one of them.
    let with_tail = [&triangle[..], &[(3, Some(2)), (4, Some(3))]].concat();
    expect(&[0, 0, 0, 0, 0], &with_tail, &[0, 1, 2, 3, 4]);
    expect(&[0, 0, 0, 1, 0], &with_tail, &[0, 1, 2]);
    // One of them in the queue of another.
    let in_other = [&triangle[..], &[(1, Some(3)), (3, None)]].concat();
    expect(&[0, 0, 0, 0], &in_other, &[]);
}

#[test]
fn a_ring_in_the_queue_of_a_ring() {
    let rings = [(0, Some(1)), (1, Some(0)), (2, Some(3)), (3, Some(2))];
    let joined = [&rings[..], &[(0, Some(2))]].concat();
    expect(&[0, 0, 0, 0], &joined, &[0, 1, 2, 3]);
    expect(&[1, 0, 0, 0], &joined, &[2, 3]);
    expect(&[0, 0, 0, 1], &joined, &[]);
    let joined = Graph::new(&[0, 0, 0, 0], &joined);
    assert_eq!(joined.dead_components(), [false, false, true, true]);
    assert_eq!(joined.dead_in_the_end(), (vec![true; 4], 2));
}

/// The shapes of AF_UNIX's own tests.
#[test]
fn cross_edges_and_ways_back() {
    // A ring of three, with an edge across it.
    let cross = [(0, Some(1)), (1, Some(2)), (2, Some(0)), (0, Some(2))];
    expect(&[0, 0, 0], &cross, &[0, 1, 2]);
    expect(&[0, 0, 1], &cross, &[]);
    // Two self-references in a row and a ring behind them.
    let back = [
        (0, Some(0)),
        (0, Some(1)),
        (1, Some(1)),
        (1, Some(2)),
        (2, Some(3)),
        (3, Some(2)),
    ];
    expect(&[0, 0, 0, 0], &back, &[0, 1, 2, 3]);
    expect(&[0, 1, 0, 0], &back, &[2, 3]);
    expect(&[0, 0, 0, 1], &back, &[]);
}

#[test]
fn a_chain_lives_and_dies_with_its_end() {
    let chain: Vec<_> = (1..50).map(|i| (i, Some(i - 1))).collect();
    let mut held = [0; 50];
    let garbage = |held: &[u32; 50]| Graph::new(held, &chain).garbage();
    // Its end is in no queue: in flight no more, and without any reference.
    assert_eq!(garbage(&held), [true; 50]);
    held[0] = 1;
    assert_eq!(garbage(&held), [false; 50]);
    held = [0; 50];
    held[20] = 1;
    assert_eq!(
        garbage(&held),
        [[true; 20].as_slice(), &[false; 30]].concat()[..]
    );
}

/// Two listeners, each in a connection to the other that nobody accepted.
///
/// Connections that nobody accepted have no file. What is in their queues
/// counts as being in that of the listener.
#[test]
fn connections_that_nobody_accepted() {
    let redirected = [(0, Some(1)), (1, Some(0))];
    expect(&[0, 0], &redirected, &[0, 1]);
    expect(&[0, 1], &redirected, &[]);
    // Listener in a connection to itself, and a socket beside it.
    expect(&[0, 0], &[(0, Some(0)), (1, Some(0))], &[0, 1]);
    expect(&[1, 0], &[(0, Some(0)), (1, Some(0))], &[]);
    // Not redirected, they would never be found.
    expect(&[0, 0], &[(0, None), (1, None)], &[]);
}

// --- What can't be right ------------------------------------------------------

#[track_caller]
fn expect_bad(references: &[u32], edges: &[(u32, Option<u32>)], bad: BadGraph) {
    let mut vertices: Vec<_> = references.iter().map(|&r| Vertex::new(r)).collect();
    let mut edges: Vec<_> = edges.iter().map(|&(s, q)| Edge::new(s, q)).collect();
    assert_eq!(collect(&mut vertices, &mut edges), Err(bad));
    assert!(!verdicts(&vertices).contains(&true));
}

#[test]
fn places_where_no_vertex_is() {
    expect_bad(&[], &[(0, None)], BadGraph::Index);
    expect_bad(&[], &[(0, Some(0))], BadGraph::Index);
    expect_bad(&[0, 0], &[(2, None)], BadGraph::Index);
    expect_bad(&[0, 0], &[(2, Some(0))], BadGraph::Index);
    expect_bad(&[1, 0], &[(0, Some(2))], BadGraph::Index);
    expect_bad(&[1, 0], &[(0, Some(u32::MAX - 1))], BadGraph::Index);
    expect_bad(&[1, 0], &[(u32::MAX - 1, Some(0))], BadGraph::Index);
    // The end of lists is no vertex either.
    expect_bad(&[1, 0], &[(u32::MAX, Some(0))], BadGraph::Index);
    expect_bad(&[1, 0], &[(u32::MAX, None)], BadGraph::Index);
}

#[test]
fn a_queue_at_the_largest_number_is_none_of_the_graph() {
    let mut vertices = [Vertex::new(1)];
    assert_eq!(
        collect(&mut vertices, &mut [Edge::new(0, Some(u32::MAX))]),
        Ok(0)
    );
}

#[test]
fn fewer_references_than_edges_are_those_of_a_live_socket() {
    let verdict = |references: &[u32], edges: &[(u32, Option<u32>)]| {
        let mut vertices: Vec<_> = references.iter().map(|&r| Vertex::new(r)).collect();
        let mut edges: Vec<_> = edges.iter().map(|&(s, q)| Edge::new(s, q)).collect();
        collect(&mut vertices, &mut edges).unwrap();
        verdicts(&vertices)
    };
    assert_eq!(verdict(&[0], &[(0, Some(0))]), [false]);
    assert_eq!(verdict(&[0], &[(0, None)]), [false]);
    assert_eq!(verdict(&[1], &[(0, Some(0)), (0, Some(0))]), [false]);
    // And so is what is in its queue, but nothing else.
    let three = [(0, Some(0)), (1, Some(0)), (2, Some(2))];
    assert_eq!(verdict(&[0, 1, 1], &three), [false, false, true]);
}

#[test]
fn an_error_takes_back_an_earlier_verdict() {
    let mut vertices = [Vertex::new(1), Vertex::new(1)];
    let ring = [Edge::new(0, Some(0))];
    assert_eq!(collect(&mut vertices, &mut ring.clone()), Ok(1));
    assert_eq!(verdicts(&vertices), [true, false]);
    let mut bad = [Edge::new(0, Some(0)), Edge::new(2, None)];
    assert_eq!(collect(&mut vertices, &mut bad), Err(BadGraph::Index));
    assert_eq!(verdicts(&vertices), [false, false]);
}

#[test]
fn nothing_is_garbage_before_it_was_found_so() {
    assert!(!Vertex::new(0).is_garbage());
}

#[test]
fn as_many_references_as_can_be_told() {
    let ring = [Edge::new(0, Some(0))];
    for references in [2, u32::MAX - 1, u32::MAX] {
        let mut vertices = [Vertex::new(references)];
        assert_eq!(collect(&mut vertices, &mut ring.clone()), Ok(0));
        vertices[0].keep();
        assert_eq!(collect(&mut vertices, &mut ring.clone()), Ok(0));
    }
}

proptest! {
    #![proptest_config(Config::with_cases(20_000))]

    /// Whatever the numbers are: no panic, no endless loop, no verdict from an
    /// error; and a wrong graph is told from a right one.
    #[test]
    fn any_numbers_are_borne(
        references in vec(prop_oneof![0..4u32, any::<u32>()], 0..6),
        edges in vec(
            (
                prop_oneof![30 => 0..6u32, 1 => any::<u32>(), 1 => Just(u32::MAX)],
                prop_oneof![
                    30 => (0..6u32).prop_map(Some),
                    5 => Just(None),
                    1 => any::<Option<u32>>(),
                    1 => Just(Some(u32::MAX)),
                ],
            ),
            0..10,
        ),
    ) {
        let n = references.len() as u32;
        let carried = |s: u32| edges.iter().filter(|e| e.0 == s).count() as u32;
        let queue_is_there = |q: Option<u32>| q.is_none_or(|q| q < n || q == u32::MAX);
        let expected = if !edges.iter().all(|&(s, q)| s < n && queue_is_there(q)) {
            Err(BadGraph::Index)
        } else {
            // Fewer than its edges are as good as more.
            let held = (0..n).map(|s| references[s as usize].abs_diff(carried(s))).collect();
            let inside = |q: Option<u32>| q.filter(|&q| q < n);
            let edges = edges.iter().map(|&(s, q)| (s, inside(q))).collect();
            Ok(Graph { held, edges }.model())
        };
        let mut vertices: Vec<_> = references.iter().map(|&r| Vertex::new(r)).collect();
        let mut arcs: Vec<_> = edges.iter().map(|&(s, q)| Edge::new(s, q)).collect();
        let found = collect(&mut vertices, &mut arcs);
        prop_assert_eq!(found.map(|_| verdicts(&vertices)), expected);
        prop_assert!(found.is_ok() || !verdicts(&vertices).contains(&true));
    }
}

// --- Large graphs -------------------------------------------------------------

/// Numbers that look random and are the same each time.
fn numbers() -> impl FnMut(u32) -> u32 {
    let mut state = 1u64;
    move |below| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) % u64::from(below)) as u32
    }
}

/// Graphs of `n` sockets with a name, and how many of them are garbage. They
/// are what an algorithm with a recursion, or with a search in a list, finds
/// hardest.
fn large(n: u32) -> [(&'static str, Graph, usize); 6] {
    let none = vec![0; n as usize];
    let first = || {
        let mut held = none.clone();
        held[0] = 1;
        held
    };
    let ring = || (0..n).map(|i| (i, Some((i + 1) % n))).collect::<Vec<_>>();
    let hub = || (0..n).map(|i| (i, Some(0))).collect::<Vec<_>>();
    let mut number = numbers();
    let random = (0..4 * n).map(|_| (number(n), Some(number(n)))).collect();
    let graph = |held: &[u32], edges| Graph {
        held: held.to_vec(),
        edges,
    };
    let n = n as usize;
    [
        ("dead ring", graph(&none, ring()), n),
        ("live ring", graph(&first(), ring()), 0),
        ("dead hub", graph(&none, hub()), n),
        ("live hub", graph(&first(), hub()), 0),
        (
            "self-references",
            graph(&first(), (0..n as u32).map(|i| (i, Some(i))).collect()),
            n - 1,
        ),
        ("random", graph(&none, random), n),
    ]
}

/// The shortest of a few runs.
fn time(graph: &Graph, garbage: usize) -> Duration {
    let (mut vertices, mut edges) = graph.arrays();
    (0..5)
        .map(|_| {
            let start = Instant::now();
            let found = black_box(collect(black_box(&mut vertices), &mut edges));
            let time = start.elapsed();
            assert_eq!(found, Ok(garbage));
            time
        })
        .min()
        .unwrap()
}

/// With 100,000 sockets and 400,000 edges, what is quadratic takes 10^10 steps
/// and more: not less than seconds. What is linear takes milliseconds, also on
/// a machine with other work to do.
#[test]
fn time_grows_with_the_size_of_the_graph_and_not_faster() {
    for (small, large) in large(1_000).into_iter().zip(large(100_000)) {
        let [short, long] = [&small, &large].map(|(_, graph, garbage)| time(graph, *garbage));
        println!(
            "{}: 1000 sockets {short:?}, 100000 sockets {long:?}",
            small.0
        );
        assert!(long < Duration::from_millis(500), "{}: {long:?}", small.0);
    }
}

/// A kernel stack has 16 KiB, and most of that is somebody else's.
#[test]
fn a_large_graph_needs_no_more_stack_than_a_small_one() {
    let graphs = large(300_000).map(|(name, graph, n)| (name, graph.arrays(), n));
    std::thread::Builder::new()
        .stack_size(16 << 10)
        .spawn(move || {
            for (name, (mut vertices, mut edges), garbage) in graphs {
                if collect(&mut vertices, &mut edges) != Ok(garbage) {
                    return Err(name);
                }
            }
            Ok(())
        })
        .unwrap()
        .join()
        .unwrap()
        .unwrap();
}

// --- Limits -------------------------------------------------------------------

#[test]
fn a_user_waits_from_eight_full_messages_on() {
    assert!(!waits_for_collector(0));
    assert!(!waits_for_collector(2023));
    assert!(waits_for_collector(2024));
    assert!(waits_for_collector(usize::MAX));
}
