//! What a call means: which of several fields counts, what a name folds to, what an order earned. The same for every
//! wire format.

use crate::call::{Call, Product, Scalar, first};
use crate::lexicon::Lexicon;
use crate::limits::MAX_ITEMS;
use crate::reject::{Refusal, refuse};
use crate::settings::Compiled;
use crate::value::{amount, bad, price, quantity, text, value};
use tzeva_model::RejectionCode::{BadValue, MissingField, TooLarge, UnsupportedType};
use tzeva_model::{
    Amount, Category, Currency, Event, EventId, Item, Name, NameKind, UnixMillis, Value, VisitorId,
};
use xxhash_rust::xxh3::xxh3_64;

/// The calls that are taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Track,
    Page,
    Identify,
}

/// The event that `call` stands for; `record` is the whole value, which names it if its producer doesn't.
///
/// # Errors
/// `missing_field`, `bad_value`, `too_large`, `unsupported_type`
pub(crate) fn event(
    call: &Call<'_>,
    (settings, lexicon): (&Compiled, &mut Lexicon),
    record: &[u8],
) -> Result<Event, Refusal> {
    let kind = kind(call.kind)?;
    let name = name(kind, call.event, lexicon)?;
    let occurred_at = instant(call.timestamp)?;
    let visitor = visitor(call, settings)?;
    let id = match text("messageId", call.message_id)? {
        Some(id) => EventId::new(&id),
        None => EventId::new(&format!("{:016x}", xxh3_64(record))),
    };
    let items = items(call, settings, lexicon)?;
    let revenue = revenue(call, &name, &items)?;
    let page_path = if settings.keep_page_path {
        let paths = if kind == Kind::Page { &call.page_path[..] } else { &call.page_path[..1] };
        boxed("context.page.path", first(paths))?
    } else {
        None
    };
    Ok(Event {
        visitor,
        id,
        name,
        occurred_at,
        items,
        revenue,
        currency: currency(call.currency)?,
        coupon: boxed("properties.coupon", first(&call.coupon))?,
        channel: boxed("channel", first(&call.channel))?,
        country: boxed("country", first(&call.country))?,
        page_path,
        properties: values("properties", &call.properties)?,
        traceparent: None,
        traits: if kind == Kind::Identify { values("traits", &call.traits)? } else { Vec::new() },
    })
}

fn kind(scalar: Scalar<'_>) -> Result<Kind, Refusal> {
    match scalar {
        Scalar::Text("track") => Ok(Kind::Track),
        Scalar::Text("page") => Ok(Kind::Page),
        Scalar::Text("identify") => Ok(Kind::Identify),
        Scalar::Absent | Scalar::Text("") => Err(missing("type")),
        Scalar::Text(_) => {
            Err(refuse(UnsupportedType, "`type` must be one of track, page, identify"))
        }
        other => Err(bad("type", "text", other.what())),
    }
}

#[cold]
fn missing(field: &str) -> Refusal {
    refuse(MissingField, format!("`{field}` is missing"))
}

fn name(kind: Kind, event: Scalar<'_>, lexicon: &mut Lexicon) -> Result<Name, Refusal> {
    let text = match (kind, event) {
        (Kind::Page, _) => "page_viewed",
        (Kind::Identify, _) => "identify",
        (Kind::Track, Scalar::Text(event)) if !event.trim().is_empty() => event,
        (Kind::Track, Scalar::Absent | Scalar::Text(_)) => return Err(missing("event")),
        (Kind::Track, other) => return Err(bad("event", "text", other.what())),
    };
    let name = lexicon.events.get(text, Name::event);
    if name.text().is_empty() {
        return Err(bad("event", "a name of letters or digits", "neither"));
    }
    Ok(name)
}

fn instant(scalar: Scalar<'_>) -> Result<UnixMillis, Refusal> {
    let expected = "an RFC 3339 instant up to the year 9999";
    match scalar {
        Scalar::Absent | Scalar::Text("") => Err(missing("timestamp")),
        Scalar::Text(text) => {
            crate::instant::parse(text).ok_or_else(|| bad("timestamp", expected, "other text"))
        }
        Scalar::Instant(ms) if (YEAR_0..=UnixMillis::MAX.get()).contains(&ms) => {
            Ok(UnixMillis::new(ms))
        }
        Scalar::Instant(_) => Err(bad("timestamp", expected, "an instant out of range")),
        other => Err(bad("timestamp", expected, other.what())),
    }
}

/// 0000-01-01T00:00:00Z, the earliest that RFC 3339 can write.
const YEAR_0: i64 = -62_167_219_200_000;

fn visitor(call: &Call<'_>, settings: &Compiled) -> Result<VisitorId, Refusal> {
    let mut given = settings.visitor_id.iter().zip(call.visitor_ids);
    let Some((path, scalar)) = given.find(|(_, scalar)| *scalar != Scalar::Absent) else {
        let paths: Vec<_> = settings.visitor_id.iter().map(|path| path.text.as_str()).collect();
        let detail = format!("no visitor id: none of `{}` is there", paths.join("`, `"));
        return Err(refuse(MissingField, detail));
    };
    // Not trimmed: the Kafka key must be the same bytes.
    let id = match scalar {
        Scalar::Text(id) | Scalar::Digits(id) => VisitorId::try_new(id),
        Scalar::Long(id) => VisitorId::try_new(&id.to_string()),
        other => return Err(bad(&path.text, "text", other.what())),
    };
    id.map_err(|why| refuse(BadValue, format!("`{}`: {why}", path.text)))
}

fn items(
    call: &Call<'_>,
    settings: &Compiled,
    lexicon: &mut Lexicon,
) -> Result<Vec<Item>, Refusal> {
    if call.products.is_empty() {
        return Ok(item("properties", &call.own, (settings, lexicon))?.into_iter().collect());
    }
    if call.products.len() > MAX_ITEMS {
        return Err(refuse(TooLarge, format!("more than {MAX_ITEMS} products")));
    }
    let mut items = Vec::with_capacity(call.products.len());
    for product in &call.products {
        items.extend(item("products", product, (settings, lexicon))?);
    }
    Ok(items)
}

/// The item that `product` stands for; none if it says nothing.
fn item(
    at: &str,
    product: &Product<'_>,
    (settings, lexicon): (&Compiled, &mut Lexicon),
) -> Result<Option<Item>, Refusal> {
    if *product == Product::default() {
        return Ok(None);
    }
    let name = |kind, field, scalar| -> Result<_, Refusal> {
        Ok(text(field, scalar)?.map(|text| Name::new(kind, &text)))
    };
    let within = |refusal: Refusal| match at {
        "products" => refuse(refusal.code, format!("in a product: {}", refusal.detail)),
        _ => refusal,
    };
    let Lexicon { brands, categories, .. } = lexicon;
    let separator = settings.category_separator.as_deref();
    let mut read = || -> Result<Item, Refusal> {
        Ok(Item {
            product: match name(NameKind::Product, "product_id", product.product_id)? {
                None => name(NameKind::Product, "sku", product.sku)?,
                known => known,
            },
            brand: text("brand", product.brand)?
                .map(|brand| brands.get(&brand, |brand| Name::new(NameKind::Brand, brand))),
            category: text("category", product.category)?
                .and_then(|path| categories.get(&path, |path| category(path, separator))),
            price: price("price", product.price)?,
            quantity: quantity("quantity", product.quantity)?,
        })
    };
    let item = read().map_err(within)?;
    Ok((item != Item::default()).then_some(item))
}

fn category(path: &str, separator: Option<&str>) -> Option<Category> {
    match separator {
        Some(separator) => Category::from_parts(path.split(separator)),
        None => Category::from_parts(path.split(['/', '>'])),
    }
}

/// What it earned: `revenue`, and of an order else `total`, else the sum of price × quantity where a price is known.
fn revenue(call: &Call<'_>, name: &Name, items: &[Item]) -> Result<Option<Amount>, Refusal> {
    let stated = amount("properties.revenue", call.revenue)?;
    if stated.is_some() || !name.text().starts_with("order_") {
        return Ok(stated);
    }
    if let Some(total) = amount("properties.total", call.total)? {
        return Ok(Some(total));
    }
    let priced = items
        .iter()
        .filter_map(|item| Some(item.price?.times(i64::from(item.quantity.unwrap_or(1)))));
    Ok(priced.reduce(std::ops::Add::add))
}

fn currency(scalar: Scalar<'_>) -> Result<Option<Currency>, Refusal> {
    let Some(code) = text("properties.currency", scalar)? else { return Ok(None) };
    match Currency::try_new(&code) {
        Some(currency) => Ok(Some(currency)),
        None => Err(bad("properties.currency", "three letters", "something else")),
    }
}

fn boxed(field: &str, scalar: Scalar<'_>) -> Result<Option<Box<str>>, Refusal> {
    Ok(text(field, scalar)?.map(|text| text.into_owned().into_boxed_str()))
}

/// Sorted by name; of two of one name the later counts.
fn values(at: &str, given: &[(&str, Scalar<'_>)]) -> Result<Vec<(Box<str>, Value)>, Refusal> {
    let mut kept: Vec<(Box<str>, Value)> = Vec::with_capacity(given.len());
    for (name, scalar) in given {
        let place = kept.binary_search_by(|(known, _)| known.as_ref().cmp(name));
        match (value(at, *scalar)?, place) {
            (Some(value), Ok(place)) => kept[place].1 = value,
            (Some(value), Err(place)) => kept.insert(place, ((*name).into(), value)),
            (None, Ok(place)) => drop(kept.remove(place)),
            (None, Err(_)) => {}
        }
    }
    Ok(kept)
}
