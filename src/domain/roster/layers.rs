//! An order of technicians, and how one layer of the plan lies over another.

use super::{OnDuty, Role, Why};
use chrono::{DateTime, Utc};
use std::cmp::Reverse;

/// Who has a place by an entry that holds now.
pub(super) struct Place<'a> {
    pub(super) technician: &'a str,
    pub(super) role: Role,
    /// Since when: what began later lies over what began earlier.
    pub(super) since: DateTime<Utc>,
}

/// The order so far; nobody stands in it twice.
pub(super) struct Line<'a> {
    order: Vec<&'a str>,
    why: Why,
}

impl<'a> Line<'a> {
    pub(super) fn of(order: impl Iterator<Item = &'a String>, why: Why) -> Self {
        let mut line = Self { order: Vec::new(), why };
        for technician in order {
            line.push(technician);
        }
        line
    }

    fn push(&mut self, technician: &'a str) {
        if !self.order.contains(&technician) {
            self.order.push(technician);
        }
    }

    /// Whoever has duty steps to the front, a backup to the second place; the others keep their order behind.
    pub(super) fn step_in(&mut self, mut places: Vec<Place<'a>>, why: Why) {
        if places.is_empty() {
            return;
        }
        places.sort_by_key(|place| Reverse(place.since));
        let of = |role| places.iter().filter(move |place| place.role == role).map(|place| place.technician);
        let duty: Vec<&str> = of(Role::Duty).collect();
        let backups: Vec<&str> = of(Role::Backup).filter(|name| !duty.contains(name)).collect();
        let before = std::mem::take(&mut self.order);
        let front = before.first().copied();
        // Whoever is only the backup here does not lead, unless nobody else is there.
        let first = duty.first().copied().or_else(|| before.iter().copied().find(|name| !backups.contains(name)));
        for technician in first.into_iter().chain(backups).chain(duty).chain(before) {
            self.push(technician);
        }
        if self.order.first().copied() != front || !places.iter().all(|place| place.role == Role::Backup) {
            self.why = why;
        }
    }

    /// One takes another's place (none = the first), who is then told last.
    pub(super) fn replace(&mut self, technician: &'a str, replaces: Option<&str>) {
        let Some(first) = self.order.first().copied() else {
            self.order.push(technician);
            self.why = Why::Override;
            return;
        };
        let left = replaces.unwrap_or(first);
        if left == technician || !self.order.contains(&left) {
            return;
        }
        let leaves = self.order.iter().copied().find(|name| *name == left);
        self.order.retain(|name| *name != technician);
        for place in &mut self.order {
            if *place == left {
                *place = technician;
            }
        }
        self.order.extend(leaves);
        if self.order.first() == Some(&technician) {
            self.why = Why::Override;
        }
    }

    /// One is away.
    pub(super) fn remove(&mut self, technician: &str) {
        if self.order.first() == Some(&technician) {
            self.why = Why::Absence;
        }
        self.order.retain(|name| *name != technician);
    }

    pub(super) fn done(self) -> OnDuty {
        let why = if self.order.is_empty() { Why::Gap } else { self.why };
        OnDuty { order: self.order.into_iter().map(str::to_owned).collect(), why }
    }
}
