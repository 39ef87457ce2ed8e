//! Templates of all exporters: bounded in number, the exporters heard least forgotten first.

use super::fault::{Fault, Faults};
use super::sequence::Sequence;
use crate::types::netflow::{Field, Layout, Place};
use hashbrown::{HashMap, HashSet};
use std::collections::VecDeque;
use std::sync::Arc;
use wireq_typesys::Address;

/// The most exporters and domains that are kept.
pub(super) const DOMAINS_MAX: usize = 4096;
/// The most fields in all templates together.
pub(super) const FIELDS_MAX: usize = 1 << 20;
/// What a field takes: as it was announced, its place, and the gap before one of variable length.
const FIELD_SIZE: usize = size_of::<Field>() + size_of::<Place>() + size_of::<u32>();
/// What a template takes beside its fields, in fields.
const TEMPLATE_SIZE: usize = 8;

/// Who numbers templates and messages: an exporter, a version, a domain in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct DomainKey {
    pub(super) router: Option<Address>,
    pub(super) version: u8,
    pub(super) number: u32,
    /// sFlow's agents are told apart by their addresses too.
    pub(super) agent: Option<Address>,
}

/// What is known of a domain.
#[derive(Default)]
pub(super) struct Domain {
    pub(super) templates: HashMap<u16, Template>,
    pub(super) sequence: Sequence,
    /// When the exporter started, where it said so in an option.
    pub(super) boot: Option<i64>,
    fields: usize,
    /// The numbers of the templates of data, and of those of options.
    numbers: [HashSet<u16>; 2],
    /// Whether it was heard since it was last looked at.
    pub(super) heard: bool,
}

/// A template.
pub(super) struct Template {
    pub(super) fields: Box<[Field]>,
    pub(super) options: bool,
    /// None where its records have no bytes.
    pub(super) layout: Option<Arc<Layout>>,
}

/// The domains.
#[derive(Default)]
pub(super) struct Domains {
    known: HashMap<DomainKey, Domain>,
    /// Each once, in the order in which they came or were heard again.
    order: VecDeque<DomainKey>,
    fields: usize,
}

impl Domains {
    /// A domain, which is made where it is new.
    pub(super) fn get(&mut self, key: DomainKey, faults: &mut Faults) -> &mut Domain {
        if !self.known.contains_key(&key) {
            while self.known.len() >= DOMAINS_MAX {
                self.forget_one(None, faults);
            }
            self.order.push_back(key);
        }
        let domain = self.known.entry(key).or_default();
        domain.heard = true;
        domain
    }

    /// Forgets the domain that was not heard for longest, but not `keep`. A domain that was heard
    /// since it was last looked at has a second chance.
    fn forget_one(&mut self, keep: Option<DomainKey>, faults: &mut Faults) -> bool {
        for _ in 0..=2 * self.order.len() {
            let Some(key) = self.order.pop_front() else {
                return false;
            };
            let heard = self
                .known
                .get_mut(&key)
                .map(|domain| std::mem::take(&mut domain.heard));
            if heard == Some(true) || keep == Some(key) {
                self.order.push_back(key);
                continue;
            }
            if let Some(domain) = self.known.remove(&key) {
                self.fields -= domain.fields;
                faults.count(Fault::Domains);
            }
            return true;
        }
        false
    }

    /// Takes in a template. Gives whether it may be used: what waited for it can be decoded.
    pub(super) fn define(
        &mut self,
        key: DomainKey,
        number: u16,
        fields: &[Field],
        options: bool,
        faults: &mut Faults,
    ) -> bool {
        let domain = self.get(key, faults);
        if let Some(known) = domain.templates.get(&number)
            && *known.fields == *fields
            && known.options == options
        {
            return false;
        }
        let layout = Layout::of_template(fields, number, options).map(Arc::new);
        if layout.is_none() {
            faults.count(Fault::EmptyTemplate);
        }
        let is_usable = layout.is_some();
        let template = Template {
            fields: fields.into(),
            options,
            layout,
        };
        let size = fields.len() + TEMPLATE_SIZE;
        self.withdraw(key, number);
        while self.fields + size > FIELDS_MAX {
            if !self.forget_one(Some(key), faults) {
                faults.count(Fault::TooManyFields);
                return false;
            }
        }
        self.fields += size;
        let domain = self.get(key, faults);
        domain.fields += size;
        domain.templates.insert(number, template);
        domain.numbers[usize::from(options)].insert(number);
        is_usable
    }

    /// Forgets a template.
    pub(super) fn withdraw(&mut self, key: DomainKey, number: u16) {
        let Some(domain) = self.known.get_mut(&key) else {
            return;
        };
        if let Some(template) = domain.templates.remove(&number) {
            let size = template.fields.len() + TEMPLATE_SIZE;
            domain.fields -= size;
            domain.numbers[usize::from(template.options)].remove(&number);
            self.fields -= size;
        }
    }

    /// Forgets all templates of a kind (RFC 7011, section 8.1).
    pub(super) fn withdraw_all(&mut self, key: DomainKey, options: bool) {
        let Some(domain) = self.known.get_mut(&key) else {
            return;
        };
        for number in std::mem::take(&mut domain.numbers[usize::from(options)]) {
            self.withdraw(key, number);
        }
    }

    /// A template of a domain.
    pub(super) fn template(&self, key: DomainKey, number: u16) -> Option<&Template> {
        self.known.get(&key)?.templates.get(&number)
    }

    /// All domains in order.
    pub(super) fn each(&self) -> impl Iterator<Item = (&DomainKey, &Domain)> {
        let known = |key| Some((key, self.known.get(key)?));
        self.order.iter().filter_map(known)
    }

    /// The number of domains.
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// About how many bytes they take.
    pub(super) fn memory(&self) -> usize {
        let domain = size_of::<(DomainKey, Domain)>() + size_of::<DomainKey>();
        self.known.capacity() * domain + self.fields * FIELD_SIZE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_templates_of_a_kind_are_withdrawn_and_no_others() {
        let (mut domains, mut faults) = (Domains::default(), Faults::default());
        let key = DomainKey {
            router: None,
            version: 10,
            number: 1,
            agent: None,
        };
        let field = |len| [Field { key: 1, len }];
        for number in 256..300u16 {
            let is_options = number % 2 == 1;
            assert!(domains.define(key, number, &field(4), is_options, &mut faults));
        }
        // One that becomes another kind's.
        assert!(domains.define(key, 256, &field(8), true, &mut faults));
        domains.withdraw_all(key, false);
        let left = |domains: &Domains| {
            let known = (0..400).filter(|number| domains.template(key, *number).is_some());
            known.collect::<Vec<u16>>()
        };
        let odd = (257..300).step_by(2);
        assert_eq!(
            left(&domains),
            [256].into_iter().chain(odd).collect::<Vec<_>>()
        );
        domains.withdraw_all(key, true);
        assert_eq!((left(&domains).len(), domains.fields), (0, 0));
        assert!(faults.list().is_empty());
    }
}
