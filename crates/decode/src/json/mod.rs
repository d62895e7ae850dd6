//! The Segment spec in JSON: which member of the text is which field of the call.

mod scan;
mod tape;
#[cfg(test)]
mod tests;

pub(crate) use tape::{Node, Tape};

use crate::Raw;

use crate::call::{Call, Product, Scalar};
use crate::envelope;
use crate::limits::MAX_ITEMS;
use crate::reject::{Refusal, refuse};
use crate::settings::Compiled;
use crate::value::bad;
use scan::scan;
use tape::Kind;
use tzeva_model::RejectionCode::{Malformed, TooLarge};

/// The call that a record holds, and the trace context of the envelope around it.
///
/// # Errors
/// `malformed`, `too_deep`, `too_large`, `bad_value`, `missing_field`, `unsupported_type`
pub(crate) fn read<'d>(
    raw: &Raw<'d>,
    settings: &Compiled,
    tape: &'d mut Tape,
) -> Result<(Call<'d>, Option<&'d str>), Refusal> {
    let text = std::str::from_utf8(raw.value)
        .map_err(|why| refuse(Malformed, format!("neither Avro nor UTF-8 text: {why}")))?;
    scan(text, tape)?;
    let root = tape.root(text);
    if !root.is_object() {
        return Err(refuse(Malformed, "a JSON object was expected"));
    }
    let (data, envelope) = envelope::unwrap(root, raw.headers)?;
    Ok((call(data, settings)?, envelope))
}

/// The call that the object `root` is.
fn call<'d>(root: Node<'d>, settings: &Compiled) -> Result<Call<'d>, Refusal> {
    let mut call = Call::default();
    let (mut properties, mut context, mut traits) = (None, None, None);
    for (key, value) in root.members() {
        match key {
            "type" => call.kind = scalar(value),
            "event" => call.event = scalar(value),
            "messageId" => call.message_id = scalar(value),
            "timestamp" => call.timestamp = scalar(value),
            "anonymousId" => call.anonymous_id = scalar(value),
            "userId" => call.user_id = scalar(value),
            "properties" => properties = object("properties", value)?,
            "context" => context = object("context", value)?,
            "traits" => traits = object("traits", value)?,
            _ => {}
        }
    }
    for (path, id) in settings.visitor_id.iter().zip(&mut call.visitor_ids) {
        *id = match path.text.as_str() {
            "anonymousId" => call.anonymous_id,
            "userId" => call.user_id,
            _ => root.path(&path.keys).map(scalar).unwrap_or_default(),
        };
    }
    if let Some(context) = context {
        read_context(context, &mut call)?;
    }
    if let Some(properties) = properties {
        read_properties(properties, settings, &mut call)?;
    }
    if let Some(traits) = traits {
        call.traits.extend(traits.members().map(|(name, value)| (name, scalar(value))));
    }
    Ok(call)
}

fn read_context<'d>(context: Node<'d>, call: &mut Call<'d>) -> Result<(), Refusal> {
    for (key, value) in context.members() {
        match key {
            "channel" => call.channel[0] = scalar(value),
            "page" => {
                let page = object("context.page", value)?;
                call.page_path[0] = member(page, "path");
            }
            "location" => {
                let location = object("context.location", value)?;
                call.country[1] = member(location, "country");
            }
            _ => {}
        }
    }
    Ok(())
}

fn read_properties<'d>(
    properties: Node<'d>,
    settings: &Compiled,
    call: &mut Call<'d>,
) -> Result<(), Refusal> {
    let mut products = None;
    for (key, value) in properties.members() {
        match key {
            "order_id" => call.order_id = scalar(value),
            "revenue" => call.revenue = scalar(value),
            "total" => call.total = scalar(value),
            "currency" => call.currency = scalar(value),
            "coupon" => call.coupon[0] = scalar(value),
            "coupon_id" => call.coupon[1] = scalar(value),
            "coupon_name" => call.coupon[2] = scalar(value),
            "channel" => call.channel[1] = scalar(value),
            "country" => call.country[0] = scalar(value),
            "path" => call.page_path[1] = scalar(value),
            "products" => products = Some(value),
            _ => read_product(key, value, &mut call.own),
        }
        if settings.keeps(key) {
            call.properties.push((key, scalar(value)));
        }
    }
    match products {
        Some(products) => read_products(products, call),
        None => Ok(()),
    }
}

fn read_products<'d>(products: Node<'d>, call: &mut Call<'d>) -> Result<(), Refusal> {
    match products.kind() {
        Kind::Null => return Ok(()),
        Kind::Array => {}
        _ => return Err(bad("properties.products", "a list", scalar(products).what())),
    }
    for element in products.elements() {
        if call.products.len() == MAX_ITEMS {
            return Err(refuse(TooLarge, format!("more than {MAX_ITEMS} products")));
        }
        if element.kind() != Kind::Object {
            return Err(bad("properties.products", "a list of objects", scalar(element).what()));
        }
        let mut product = Product::default();
        for (key, value) in element.members() {
            read_product(key, value, &mut product);
        }
        call.products.push(product);
    }
    Ok(())
}

fn read_product<'d>(key: &str, value: Node<'d>, product: &mut Product<'d>) {
    match key {
        "product_id" => product.product_id = scalar(value),
        "sku" => product.sku = scalar(value),
        "brand" => product.brand = scalar(value),
        "category" => product.category = scalar(value),
        "price" => product.price = scalar(value),
        "quantity" => product.quantity = scalar(value),
        _ => {}
    }
}

pub(crate) fn scalar(node: Node<'_>) -> Scalar<'_> {
    match node.kind() {
        Kind::Null => Scalar::Absent,
        Kind::True => Scalar::Bool(true),
        Kind::False => Scalar::Bool(false),
        Kind::Number => Scalar::Digits(node.text()),
        Kind::Plain | Kind::Unescaped => Scalar::Text(node.text()),
        Kind::Object => Scalar::Composite("an object"),
        Kind::Array => Scalar::Composite("a list"),
    }
}

/// An object, or nothing where it is null.
pub(crate) fn object<'d>(field: &str, node: Node<'d>) -> Result<Option<Node<'d>>, Refusal> {
    match node.kind() {
        Kind::Object => Ok(Some(node)),
        Kind::Null => Ok(None),
        _ => Err(bad(field, "an object", scalar(node).what())),
    }
}

fn member<'d>(object: Option<Node<'d>>, key: &str) -> Scalar<'d> {
    object.and_then(|object| object.member(key)).map(scalar).unwrap_or_default()
}
