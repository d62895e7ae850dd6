//! Amounts: in which currency an event's count, and what a stroke adds to a sum.

use crate::history::Stroke;
use crate::predicate::{item_passes, passes};
use tzeva_audience::{Field, SumLeaf};
use tzeva_model::{Amount, Currencies, Currency, Event, Item, Rate, Value};

/// `event` with its amounts in the home currency: as they are, converted, or gone if nobody said what they are worth.
/// `first` is the currency that the visitor's history holds already.
pub(crate) fn at_home(event: &Event, first: Option<Currency>, currencies: &Currencies) -> Event {
    let Some(currency) = event.currency else { return event.clone() };
    let home = currencies.home.or(first).unwrap_or(currency);
    if currency == home {
        return event.clone();
    }
    // Without a home that was named nothing is worth anything in it.
    let rate = currencies.home.and_then(|_| currencies.rate(currency));
    let convert = |amount: Option<Amount>| Some(rate?.convert(amount?));
    let items = event.items.iter();
    Event {
        revenue: convert(event.revenue),
        currency: rate.map(|_: Rate| home),
        items: items.map(|item| Item { price: convert(item.price), ..item.clone() }).collect(),
        ..event.clone()
    }
}

/// What `stroke`, which passes the filter, adds to the sum, in ten-thousandths.
pub(crate) fn adds(stroke: &Stroke, leaf: &SumLeaf) -> i128 {
    let event = &stroke.event;
    debug_assert!(passes(event, &leaf.filter), "only what passes is summed");
    let items = || {
        let all = event.items.iter().zip(&stroke.merged);
        all.filter(|(item, _)| item_passes(item, &leaf.filter))
    };
    let pieces = |item: &Item| i128::from(item.quantity.unwrap_or(1));
    let number = |amount: Option<Amount>| amount.map_or(0, |amount| i128::from(amount.get()));
    match &leaf.of {
        Field::Revenue if leaf.filter.item.is_empty() => number(event.revenue),
        Field::Revenue => items()
            .map(|(item, merged)| match merged {
                Some(sum) => i128::from(sum.get()),
                None => number(item.price) * pieces(item),
            })
            .sum(),
        Field::Quantity => items().map(|(item, _)| pieces(item) * 10_000).sum(),
        Field::Price => items().map(|(item, _)| number(item.price)).sum(),
        Field::Property(name) => match event.properties.iter().find(|(other, _)| other == name) {
            Some((_, Value::Number(value))) => i128::from(value.get()),
            _ => 0,
        },
        _ => 0,
    }
}
