//! Connections of one client address, counted over all loops.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use avocet_net::Address;

/// How many connections each address has, against one limit.
///
/// An address is an IPv4 address or the first 64 bits of an IPv6 address, which is what one
/// customer of a network has at least. Clients of unix sockets and of memory have none.
///
/// *Bounds*: an entry for each address that has a connection.
pub(crate) struct AddressCounts {
    most: usize,
    live: Mutex<HashMap<IpAddr, usize>>,
}

/// The right to one connection, given back on drop.
pub(crate) struct AddressPermit {
    counts: Arc<AddressCounts>,
    address: IpAddr,
}

/// The address has its share already.
pub(crate) struct TooMany;

impl AddressCounts {
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most: most.max(1), live: Mutex::default() })
    }

    /// A permit; `None` for a client without an address.
    pub(crate) fn enter(
        self: &Arc<Self>,
        remote: &Address,
    ) -> Result<Option<Box<AddressPermit>>, TooMany> {
        let Address::Ip(remote) = remote else { return Ok(None) };
        let address = customer(remote.ip());
        let mut live = self.lock();
        let count = live.entry(address).or_default();
        if *count >= self.most {
            return Err(TooMany);
        }
        *count += 1;
        Ok(Some(Box::new(AddressPermit { counts: self.clone(), address })))
    }

    /// The table is never left half changed.
    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for AddressPermit {
    fn drop(&mut self) {
        let mut live = self.counts.lock();
        if let Some(count) = live.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                live.remove(&self.address);
            }
        }
    }
}

fn customer(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = u128::from(address) >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from(network))
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        Address::Ip((text.parse::<IpAddr>().unwrap(), 80).into())
    }

    #[test]
    fn each_customer_has_its_share_and_gets_it_back() {
        let counts = AddressCounts::new(2);
        let enter = |text: &str| counts.enter(&address(text)).ok().flatten();
        let first = enter("192.0.2.1").unwrap();
        let _second = enter("::ffff:192.0.2.1").unwrap();
        assert!(enter("192.0.2.1").is_none());
        assert!(enter("192.0.2.2").is_some());
        drop(first);
        assert!(enter("192.0.2.1").is_some());
        let _kept = (enter("2001:db8::1").unwrap(), enter("2001:db8::ffff:2").unwrap());
        assert!(enter("2001:db8::3").is_none());
        assert!(enter("2001:db8:0:1::3").is_some());
    }

    #[test]
    fn the_table_holds_only_those_who_are_there() {
        let counts = AddressCounts::new(9);
        let permits: Vec<_> =
            (0..9).map(|_| counts.enter(&address("192.0.2.1")).ok().flatten()).collect();
        assert_eq!(counts.lock().len(), 1);
        drop(permits);
        assert!(counts.lock().is_empty());
    }

    #[test]
    fn a_client_without_an_address_is_not_counted() {
        let counts = AddressCounts::new(1);
        for _ in 0..3 {
            assert!(matches!(counts.enter(&Address::Memory), Ok(None)));
            assert!(matches!(counts.enter(&Address::Unix(None)), Ok(None)));
        }
        assert!(counts.lock().is_empty());
    }
}
