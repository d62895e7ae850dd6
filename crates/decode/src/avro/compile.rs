//! A writer's schema, compiled once to its program, against the published schemas of `schemas/`: a writer's field is
//! matched by name, else by the aliases published there, and must be of a kind that its column can hold in at least one
//! branch. A published field without a default must be there.

use super::SchemaProblem;
use super::column::{Class, Column};
use super::program::{Program, Step, Type, TypeId};
use crate::settings::{Compiled, IdPath};
use apache_avro::Schema;
use apache_avro::schema::{InnerDecimalSchema, RecordField, RecordSchema, UuidSchema};
use std::collections::HashMap;

const SITE_VISIT: &str = include_str!("../../../../schemas/site-visit/site-visit.avsc");
const PURCHASE: &str = include_str!("../../../../schemas/purchase/purchase.avsc");

/// What events may be written as: the published schemas.
#[derive(Debug)]
pub(crate) struct Published {
    shapes: Vec<Shape>,
    product: Vec<Field>,
}

/// A published record.
#[derive(Debug)]
struct Shape {
    name: String,
    kind: Option<&'static str>,
    event: Option<&'static str>,
    fields: Vec<Field>,
}

/// A field of a published record.
#[derive(Debug)]
struct Field {
    column: Column,
    /// Its name, then its aliases.
    names: Vec<String>,
    required: bool,
}

#[derive(Default)]
struct Types {
    types: Vec<Type>,
    named: HashMap<String, TypeId>,
    /// The writer's records, to find the fields of products by name.
    records: HashMap<TypeId, RecordSchema>,
}

// === impl Published ===

impl Published {
    pub(crate) fn try_new() -> Result<Self, SchemaProblem> {
        let mut product = Vec::new();
        let mut shapes = Vec::new();
        for (text, kind, event) in
            [(SITE_VISIT, None, None), (PURCHASE, Some("track"), Some("order_completed"))]
        {
            let Schema::Record(record) = parse(text)? else { continue };
            for field in &record.fields {
                if let Schema::Array(list) = &field.schema
                    && let Schema::Record(element) = list.items.as_ref()
                {
                    product = Field::all(element);
                }
            }
            let fields = Field::all(&record);
            shapes.push(Shape { name: record.name.name().to_owned(), kind, event, fields });
        }
        Ok(Self { shapes, product })
    }

    /// The text of a schema that settings name: `site-visit`, `purchase`, else `name` is the text itself.
    pub(crate) fn named(name: &str) -> &str {
        match name {
            "site-visit" => SITE_VISIT,
            "purchase" => PURCHASE,
            text => text,
        }
    }

    /// The program that reads what `writer` describes.
    pub(crate) fn compile(
        &self,
        writer: &Schema,
        settings: &Compiled,
    ) -> Result<Program, SchemaProblem> {
        let Schema::Record(record) = writer else {
            return Err(SchemaProblem::Incompatible("it is no record".into()));
        };
        let name = record.name.name();
        let Some(shape) = self.shapes.iter().find(|shape| shape.name == name) else {
            let names: Vec<_> = self.shapes.iter().map(|shape| shape.name.as_str()).collect();
            let names = names.join(" or ");
            return Err(SchemaProblem::Incompatible(format!(
                "its record is named {name}, not {names}"
            )));
        };
        let mut types = Types::default();
        let namespace = record.name.namespace().map(str::to_owned);
        let of = types.record(record, namespace.as_deref());
        let columns = types.columns(record, &shape.fields)?;
        let mut steps = Vec::with_capacity(columns.len());
        for ((field, column), of) in record.fields.iter().zip(columns).zip(types.fields(of)) {
            match column {
                Some(Column::Products) => types.name_product_fields(of, &self.product)?,
                Some(column) => types.check(of, column, &field.name)?,
                None => {}
            }
            steps.push(Step { column, id_path: id_path(field, &settings.visitor_id), of });
        }
        Ok(Program { steps, types: types.types, kind: shape.kind, event: shape.event })
    }
}

// === impl Field ===

impl Field {
    fn all(record: &RecordSchema) -> Vec<Self> {
        let of = |field: &RecordField| {
            let mut names = vec![field.name.clone()];
            names.extend(field.aliases.iter().cloned());
            let required = field.default.is_none();
            Some(Self { column: Column::named(&field.name)?, names, required })
        };
        record.fields.iter().filter_map(of).collect()
    }
}

// === impl Types ===

impl Types {
    fn push(&mut self, of: Type) -> TypeId {
        self.types.push(of);
        self.types.len() - 1
    }

    fn fields(&self, record: TypeId) -> Vec<TypeId> {
        match &self.types[record] {
            Type::Record { fields, .. } => fields.to_vec(),
            _ => Vec::new(),
        }
    }

    /// Adds a record under its name first, so that it may hold itself.
    fn record(&mut self, record: &RecordSchema, namespace: Option<&str>) -> TypeId {
        let id = self.push(Type::Record { fields: [].into(), columns: None });
        self.named.insert(record.name.fullname(namespace), id);
        self.records.insert(id, record.clone());
        let inner = record.name.namespace().or(namespace).map(str::to_owned);
        let fields: Vec<_> =
            record.fields.iter().map(|field| self.add(&field.schema, inner.as_deref())).collect();
        self.types[id] = Type::Record { fields: fields.into(), columns: None };
        id
    }

    fn add(&mut self, schema: &Schema, namespace: Option<&str>) -> TypeId {
        let of = match schema {
            Schema::Null => Type::Null,
            Schema::Boolean => Type::Bool,
            Schema::Int | Schema::Long => Type::Long,
            Schema::Float => Type::Float,
            Schema::Double => Type::Double,
            Schema::Bytes | Schema::BigDecimal | Schema::Uuid(UuidSchema::Bytes) => Type::Bytes,
            Schema::String | Schema::Uuid(UuidSchema::String) => Type::Text,
            Schema::TimestampMillis => Type::Instant { per_ms: 1 },
            Schema::TimestampMicros => Type::Instant { per_ms: 1_000 },
            Schema::TimestampNanos => Type::Instant { per_ms: 1_000_000 },
            Schema::Date
            | Schema::TimeMillis
            | Schema::TimeMicros
            | Schema::LocalTimestampMillis
            | Schema::LocalTimestampMicros
            | Schema::LocalTimestampNanos => Type::Foreign,
            Schema::Array(list) => Type::Array(self.add(&list.items, namespace)),
            Schema::Map(map) => Type::Map(self.add(&map.types, namespace)),
            Schema::Union(union) => Type::Union(
                union.variants().iter().map(|branch| self.add(branch, namespace)).collect(),
            ),
            Schema::Record(record) => return self.record(record, namespace),
            Schema::Ref { name } => {
                let known = self.named.get(&name.fullname(namespace));
                // Parsing has seen to it that every name is known; one that isn't reads as nothing.
                return known.copied().unwrap_or_else(|| self.push(Type::Null));
            }
            Schema::Decimal(decimal) => {
                let scale = u32::try_from(decimal.scale).unwrap_or(u32::MAX);
                match &decimal.inner {
                    InnerDecimalSchema::Bytes => Type::Decimal { scale },
                    InnerDecimalSchema::Fixed(fixed) => {
                        let id = self.push(Type::FixedDecimal { size: fixed.size, scale });
                        self.named.insert(fixed.name.fullname(namespace), id);
                        return id;
                    }
                }
            }
            Schema::Enum(named) => {
                let symbols = named.symbols.iter().map(|symbol| symbol.as_str().into()).collect();
                let id = self.push(Type::Enum(symbols));
                self.named.insert(named.name.fullname(namespace), id);
                return id;
            }
            Schema::Fixed(fixed)
            | Schema::Duration(fixed)
            | Schema::Uuid(UuidSchema::Fixed(fixed)) => {
                let id = self.push(Type::Fixed(fixed.size));
                self.named.insert(fixed.name.fullname(namespace), id);
                return id;
            }
        };
        self.push(of)
    }

    /// Which column each field of the writer's `record` is.
    fn columns(
        &self,
        record: &RecordSchema,
        published: &[Field],
    ) -> Result<Vec<Option<Column>>, SchemaProblem> {
        let mut columns = vec![None; record.fields.len()];
        for field in published {
            let place = field.names.iter().find_map(|name| record.lookup.get(name));
            match place {
                Some(place) => columns[*place] = Some(field.column),
                None if field.required => {
                    let detail = format!("its field `{}` is missing", field.names[0]);
                    return Err(SchemaProblem::Incompatible(detail));
                }
                None => {}
            }
        }
        Ok(columns)
    }

    fn check(&self, of: TypeId, column: Column, name: &str) -> Result<(), SchemaProblem> {
        if self.branches(of).iter().any(|branch| fits(column.class(), &self.types[*branch])) {
            return Ok(());
        }
        let what = match column.class() {
            Class::Text => "text",
            Class::Number => "a number",
            Class::Whole => "a whole number",
            Class::Instant => "an instant",
            Class::Products => "a list of records",
            Class::Map => "a map",
        };
        Err(SchemaProblem::Incompatible(format!("its field `{name}` can't be read as {what}")))
    }

    fn branches(&self, of: TypeId) -> Vec<TypeId> {
        match &self.types[of] {
            Type::Union(branches) => branches.to_vec(),
            _ => vec![of],
        }
    }

    /// Gives the records in the list `of` their columns.
    fn name_product_fields(
        &mut self,
        of: TypeId,
        published: &[Field],
    ) -> Result<(), SchemaProblem> {
        self.check(of, Column::Products, "products")?;
        for list in self.branches(of) {
            let Type::Array(element) = self.types[list] else { continue };
            for id in self.branches(element) {
                let Some(record) = self.records.get(&id) else { continue };
                let columns = self.columns(record, published)?;
                let names: Vec<_> = record.fields.iter().map(|f| f.name.clone()).collect();
                let fields = self.fields(id);
                for ((of, column), name) in fields.iter().zip(&columns).zip(&names) {
                    if let Some(column) = column {
                        self.check(*of, *column, name)?;
                    }
                }
                self.types[id] =
                    Type::Record { fields: fields.into(), columns: Some(columns.into()) };
            }
        }
        Ok(())
    }
}

/// Reads the text of a schema.
pub(crate) fn parse(text: &str) -> Result<Schema, SchemaProblem> {
    Schema::parse_str(text).map_err(|why| SchemaProblem::NotASchema(why.to_string()))
}

fn fits(class: Class, of: &Type) -> bool {
    match class {
        Class::Text => matches!(of, Type::Text | Type::Bytes | Type::Enum(_)),
        Class::Whole => matches!(of, Type::Long),
        Class::Number => matches!(
            of,
            Type::Long
                | Type::Float
                | Type::Double
                | Type::Decimal { .. }
                | Type::FixedDecimal { .. }
        ),
        Class::Instant => matches!(of, Type::Long | Type::Instant { .. }),
        Class::Products => matches!(of, Type::Array(_)),
        Class::Map => matches!(of, Type::Map(_)),
    }
}

/// The visitor id path that a field of the writer stands for, under its own name or in snake case.
fn id_path(field: &RecordField, paths: &[IdPath]) -> Option<usize> {
    let is = |path: &IdPath| {
        field.name == path.text || field.name == tzeva_model::snake_case(&path.text)
    };
    paths.iter().position(is)
}
