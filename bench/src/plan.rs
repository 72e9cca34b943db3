//! How many servers, keys and rounds.

pub struct Plan {
    /// Of the goals.
    pub keys: usize,
    pub long_keys: usize,
    pub cached_keys: usize,
    pub rounds: usize,
    pub cached_rounds: usize,
    pub roll_rounds: usize,
    pub growth_rounds: usize,
    pub dialect_rounds: usize,
    /// Of the comparison with all peers.
    pub peer_keys: usize,
    pub peer_rounds: usize,
    /// The keys of a round in another language's runtime.
    pub runtime_keys: usize,
    /// The numbers of servers, each with the rounds of building.
    pub servers: &'static [(usize, usize)],
}

impl Plan {
    pub const FULL: Plan = Plan {
        keys: 1_000_000,
        long_keys: 200_000,
        cached_keys: 8192,
        rounds: 21,
        cached_rounds: 201,
        roll_rounds: 201,
        growth_rounds: 9,
        dialect_rounds: 31,
        peer_keys: 100_000,
        peer_rounds: 7,
        runtime_keys: 20_000,
        servers: &[(8, 101), (100, 31), (1_000, 5), (10_000, 3)],
    };

    pub const QUICK: Plan = Plan {
        keys: 200_000,
        long_keys: 50_000,
        cached_keys: 8192,
        rounds: 5,
        cached_rounds: 31,
        roll_rounds: 51,
        growth_rounds: 3,
        dialect_rounds: 5,
        peer_keys: 20_000,
        peer_rounds: 3,
        runtime_keys: 2_000,
        servers: &[(8, 11), (100, 5), (1_000, 1)],
    };
}
