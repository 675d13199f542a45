//! A fleet in virtual time: nodes that decide about clients, an origin, and what stands between them.
//!
//! What counts, what is newer and when it is asked for again are decided by the code that nodes run: [`Freshness`],
//! [`EvidenceVersion`] and [`refresh::due`]. The network, the origin and what the nodes ask are a model. All that is
//! random comes from one seed, so a run can be repeated. Each decision is examined by [`Law`]s.
//!
//! [`Freshness`]: certcheck_core::policy::Freshness
//! [`EvidenceVersion`]: certcheck_fetch::store::EvidenceVersion
//! [`refresh::due`]: certcheck_fetch::refresh::due
//!
//! ```text
//! setup -> world -> queue   what happens next
//!          origin, hub, node   what they do     network   what fails
//!          laws   what must hold                figures   what it costs
//! ```

mod evidence;
mod figures;
mod hub;
mod laws;
mod network;
mod node;
mod origin;
mod queue;
mod setup;
mod world;

pub use figures::{Decisions, Figures, Spread};
pub use laws::{Broken, Law};
pub use setup::{Defect, Mode, Setup};

/// Runs a fleet to its end, or to the first law that is broken.
///
/// # Errors
/// The law, and the last events.
pub fn run(setup: Setup) -> Result<Figures, Box<Broken>> {
    Ok(world::World::new(setup).run()?)
}
