use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::address::network;

/// How many may be in at once, from one address and in all. Whoever is let in
/// holds a [`Permit`], so what is remembered is bounded by who is in.
#[derive(Debug, Clone)]
pub struct Doors {
    per_address: u32,
    in_all: u32,
    inside: Arc<Mutex<Inside>>,
}

#[derive(Debug, Default)]
struct Inside {
    all: u32,
    by_address: HashMap<IpAddr, u32>,
}

/// Why nobody else is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// This address has as many as it may have.
    Address,
    /// The server has.
    Server,
}

/// One who is in, until it is dropped.
#[derive(Debug)]
pub struct Permit {
    inside: Arc<Mutex<Inside>>,
    /// `None`: not counted with its address.
    address: Option<IpAddr>,
}

impl Doors {
    /// Nobody is in yet.
    pub fn new(per_address: u32, in_all: u32) -> Self {
        Self {
            per_address,
            in_all,
            inside: Arc::default(),
        }
    }

    /// Lets one in from `address`.
    ///
    /// # Errors
    /// [`Full`].
    pub fn enter(&self, address: IpAddr) -> Result<Permit, Full> {
        let address = network(address);
        let mut inside = lock(&self.inside);
        let here = inside.by_address.get(&address).copied().unwrap_or(0);
        if here >= self.per_address {
            return Err(Full::Address);
        }
        self.count(&mut inside)?;
        inside.by_address.insert(address, here + 1);
        Ok(self.permit(Some(address)))
    }

    /// Lets one in from an address behind which there are many, like a proxy.
    ///
    /// # Errors
    /// [`Full::Server`].
    pub fn enter_from_many(&self) -> Result<Permit, Full> {
        self.count(&mut lock(&self.inside))?;
        Ok(self.permit(None))
    }

    /// How many are in.
    pub fn count_inside(&self) -> u32 {
        lock(&self.inside).all
    }

    fn count(&self, inside: &mut Inside) -> Result<(), Full> {
        if inside.all >= self.in_all {
            return Err(Full::Server);
        }
        inside.all += 1;
        Ok(())
    }

    fn permit(&self, address: Option<IpAddr>) -> Permit {
        Permit {
            inside: self.inside.clone(),
            address,
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut inside = lock(&self.inside);
        inside.all -= 1;
        let Some(address) = self.address else { return };
        if let Some(count) = inside.by_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                inside.by_address.remove(&address);
            }
        }
    }
}

fn lock(inside: &Mutex<Inside>) -> MutexGuard<'_, Inside> {
    // Nothing panics while it holds the lock.
    inside.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    #[test]
    fn one_address_cannot_fill_the_house() {
        let doors = Doors::new(2, 3);
        let _in: Vec<_> = (0..2).map(|_| doors.enter(address(1))).collect();
        assert_eq!(doors.enter(address(1)).err(), Some(Full::Address));
        let third = doors.enter(address(2));
        assert!(third.is_ok());
        assert_eq!(doors.enter(address(3)).err(), Some(Full::Server));
        drop(third);
        assert!(doors.enter(address(3)).is_ok());
    }

    #[test]
    fn nothing_is_remembered_of_who_has_left() {
        let doors = Doors::new(10, 10);
        let mut inside: Vec<_> = (0..5).map(|last| doors.enter(address(last))).collect();
        inside.push(doors.enter_from_many());
        assert_eq!(doors.count_inside(), 6);
        drop(inside);
        assert_eq!(doors.count_inside(), 0);
        assert!(lock(&doors.inside).by_address.is_empty());
    }
}
