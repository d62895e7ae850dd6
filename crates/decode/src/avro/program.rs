//! The flat program of a writer's schema: one step a field, in the order of the writer. It reads what an event needs
//! and steps over all else.

use super::column::{Class, Column};
use super::cursor::{Cursor, check_depth, check_keys};
use crate::call::{Call, Product, Scalar};
use crate::limits::MAX_ITEMS;
use crate::reject::{Refusal, refuse};
use crate::settings::Compiled;
use tzeva_model::RejectionCode::{BadValue, Malformed, SchemaIncompatible, TooLarge};

/// A place in [`Program::types`].
pub(crate) type TypeId = usize;

/// How a value is encoded.
#[derive(Debug)]
pub(crate) enum Type {
    Null,
    Bool,
    /// An int or a long.
    Long,
    Float,
    Double,
    Bytes,
    Text,
    Fixed(usize),
    Enum(Box<[Box<str>]>),
    Decimal {
        scale: u32,
    },
    FixedDecimal {
        size: usize,
        scale: u32,
    },
    /// An instant, so many of whose units make a millisecond.
    Instant {
        per_ms: i64,
    },
    Array(TypeId),
    Map(TypeId),
    Union(Box<[TypeId]>),
    /// A record; `columns` only of a product.
    Record {
        fields: Box<[TypeId]>,
        columns: Option<Box<[Option<Column>]>>,
    },
    /// A number whose meaning is none of ours, such as a date.
    Foreign,
}

/// One field of the writer's record.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) column: Option<Column>,
    /// Which of the visitor id paths it stands for.
    pub(crate) id_path: Option<usize>,
    pub(crate) of: TypeId,
}

/// A compiled schema.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) steps: Vec<Step>,
    pub(crate) types: Vec<Type>,
    /// The call that an empty record makes.
    pub(crate) kind: Option<&'static str>,
    pub(crate) event: Option<&'static str>,
}

struct Run<'p, 'a> {
    types: &'a [Type],
    settings: &'p Compiled,
    at: Cursor<'a>,
}

// === impl Program ===

impl Program {
    /// The call that `record` holds, all of it.
    ///
    /// # Errors
    /// `malformed`, `too_large`, `too_deep`, `bad_value`, and `schema_incompatible` where a union took a branch that no
    /// event can hold.
    pub(crate) fn run<'a>(
        &'a self,
        record: &'a [u8],
        settings: &Compiled,
    ) -> Result<Call<'a>, Refusal> {
        let mut run = Run { types: &self.types, settings, at: Cursor::new(record) };
        let mut call = Call {
            kind: self.kind.map_or(Scalar::Absent, Scalar::Text),
            event: self.event.map_or(Scalar::Absent, Scalar::Text),
            ..Call::default()
        };
        for step in &self.steps {
            run.step(step, &mut call)?;
        }
        if !run.at.is_at_end() {
            return Err(refuse(Malformed, "something follows the record"));
        }
        for (path, id) in settings.visitor_id.iter().zip(&mut call.visitor_ids) {
            match path.text.as_str() {
                "anonymousId" | "anonymous_id" => *id = call.anonymous_id,
                "userId" | "user_id" => *id = call.user_id,
                _ => {}
            }
        }
        Ok(call)
    }

    /// How many bytes the first of `records` takes.
    ///
    /// # Errors
    /// `malformed`, `too_large`, `too_deep`
    pub(crate) fn length(&self, records: &[u8], settings: &Compiled) -> Result<usize, Refusal> {
        let mut run = Run { types: &self.types, settings, at: Cursor::new(records) };
        for step in &self.steps {
            run.skip(step.of, 2)?;
        }
        Ok(records.len() - run.at.left())
    }
}

// === impl Run ===

impl<'a> Run<'_, 'a> {
    fn step(&mut self, step: &Step, call: &mut Call<'a>) -> Result<(), Refusal> {
        let class = step.column.map(Column::class);
        match (step.column, class) {
            (Some(Column::Products), _) => self.products(step.of, call),
            (Some(Column::Properties), _) => self.map(step.of, "properties", call),
            (Some(Column::Traits), _) => self.map(step.of, "traits", call),
            (None, _) if step.id_path.is_none() => self.skip(step.of, 2),
            (column, class) => {
                let scalar = self.column(step.of, class.unwrap_or(Class::Text))?;
                if let Some(column) = column {
                    column.set(call, scalar);
                }
                if let Some(path) = step.id_path {
                    call.visitor_ids[path] = scalar;
                }
                Ok(())
            }
        }
    }

    /// The value of a column, a plain number as an instant where one is due.
    fn column(&mut self, of: TypeId, class: Class) -> Result<Scalar<'a>, Refusal> {
        let scalar = match (self.scalar(of)?, class) {
            (Scalar::Long(ms), Class::Instant) => Scalar::Instant(ms),
            (scalar, _) => scalar,
        };
        if class.admits(scalar) { Ok(scalar) } else { Err(incompatible()) }
    }

    fn scalar(&mut self, of: TypeId) -> Result<Scalar<'a>, Refusal> {
        Ok(match &self.types[of] {
            Type::Null => Scalar::Absent,
            Type::Bool => Scalar::Bool(self.at.bool()?),
            Type::Long => Scalar::Long(self.at.long()?),
            Type::Float => Scalar::Float(f32::from_le_bytes(self.at.array()?)),
            Type::Double => Scalar::Double(f64::from_le_bytes(self.at.array()?)),
            Type::Text | Type::Bytes => Scalar::Text(self.at.text()?),
            Type::Enum(symbols) => Scalar::Text(&symbols[self.at.place(symbols.len())?]),
            Type::Decimal { scale } => decimal(self.at.bytes()?, *scale)?,
            Type::FixedDecimal { size, scale } => decimal(self.at.take(*size)?, *scale)?,
            Type::Instant { per_ms } => Scalar::Instant(self.at.long()?.div_euclid(*per_ms)),
            Type::Union(branches) => {
                let branch = self.at.place(branches.len())?;
                return self.scalar(branches[branch]);
            }
            _ => {
                self.skip(of, 2)?;
                Scalar::Composite("something else")
            }
        })
    }

    fn products(&mut self, of: TypeId, call: &mut Call<'a>) -> Result<(), Refusal> {
        match &self.types[of] {
            Type::Null => Ok(()),
            Type::Union(branches) => {
                let branch = self.at.place(branches.len())?;
                self.products(branches[branch], call)
            }
            Type::Array(element) => {
                while let Some(block) = self.at.block()? {
                    if call.products.len() + block.count as usize > MAX_ITEMS {
                        return Err(refuse(TooLarge, format!("more than {MAX_ITEMS} products")));
                    }
                    for _ in 0..block.count {
                        self.product(*element, call)?;
                    }
                }
                Ok(())
            }
            _ => Err(incompatible()),
        }
    }

    fn product(&mut self, of: TypeId, call: &mut Call<'a>) -> Result<(), Refusal> {
        match &self.types[of] {
            Type::Null => Ok(()),
            Type::Union(branches) => {
                let branch = self.at.place(branches.len())?;
                self.product(branches[branch], call)
            }
            Type::Record { fields, columns: Some(columns) } => {
                let mut product = Product::default();
                for (field, column) in fields.iter().zip(columns) {
                    match column {
                        Some(column) => {
                            let scalar = self.column(*field, column.class())?;
                            column.set_product(&mut product, scalar);
                        }
                        None => self.skip(*field, 4)?,
                    }
                }
                call.products.push(product);
                Ok(())
            }
            _ => Err(incompatible()),
        }
    }

    /// Properties, those that are kept, or traits.
    fn map(&mut self, of: TypeId, name: &str, call: &mut Call<'a>) -> Result<(), Refusal> {
        match &self.types[of] {
            Type::Null => Ok(()),
            Type::Union(branches) => {
                let branch = self.at.place(branches.len())?;
                self.map(branches[branch], name, call)
            }
            Type::Map(values) => {
                let mut keys = 0;
                while let Some(block) = self.at.block()? {
                    keys += block.count;
                    check_keys(keys)?;
                    for _ in 0..block.count {
                        let key = self.at.text()?;
                        self.entry(*values, (name, key), call)?;
                    }
                }
                Ok(())
            }
            _ => Err(incompatible()),
        }
    }

    fn entry(
        &mut self,
        of: TypeId,
        (map, key): (&str, &'a str),
        call: &mut Call<'a>,
    ) -> Result<(), Refusal> {
        let id_path = self.settings.visitor_id.iter().position(
            |path| matches!(path.keys.as_slice(), [first, rest] if first == map && rest == key),
        );
        let kept = map == "traits" || self.settings.keeps(key);
        if !kept && id_path.is_none() {
            return self.skip(of, 3);
        }
        let scalar = self.column(of, Class::Map)?;
        if let Some(path) = id_path {
            call.visitor_ids[path] = scalar;
        }
        match map {
            "traits" => call.traits.push((key, scalar)),
            _ if kept => call.properties.push((key, scalar)),
            _ => {}
        }
        Ok(())
    }

    /// Steps over a value that lies at `depth`.
    fn skip(&mut self, of: TypeId, depth: usize) -> Result<(), Refusal> {
        match &self.types[of] {
            Type::Null => {}
            Type::Bool => drop(self.at.bool()?),
            Type::Long | Type::Instant { .. } | Type::Foreign => drop(self.at.long()?),
            Type::Float => drop(self.at.take(4)?),
            Type::Double => drop(self.at.take(8)?),
            Type::Bytes | Type::Decimal { .. } => drop(self.at.bytes()?),
            Type::Text => drop(self.at.text()?),
            Type::Fixed(size) | Type::FixedDecimal { size, .. } => drop(self.at.take(*size)?),
            Type::Enum(symbols) => drop(self.at.place(symbols.len())?),
            Type::Union(branches) => {
                let branch = self.at.place(branches.len())?;
                return self.skip(branches[branch], depth);
            }
            Type::Record { fields, .. } => {
                check_depth(depth)?;
                for field in fields {
                    self.skip(*field, depth + 1)?;
                }
            }
            Type::Array(element) => self.skip_blocks(*element, depth, false)?,
            Type::Map(value) => self.skip_blocks(*value, depth, true)?,
        }
        Ok(())
    }

    fn skip_blocks(&mut self, of: TypeId, depth: usize, keyed: bool) -> Result<(), Refusal> {
        check_depth(depth)?;
        let mut keys = 0;
        while let Some(block) = self.at.block()? {
            if keyed {
                keys += block.count;
                check_keys(keys)?;
            }
            if let Some(bytes) = block.bytes {
                self.at.take(bytes)?;
                continue;
            }
            for _ in 0..block.count {
                if keyed {
                    self.at.text()?;
                }
                self.skip(of, depth + 1)?;
            }
        }
        Ok(())
    }
}

/// A big-endian two's complement of up to 16 bytes.
fn decimal<'a>(bytes: &[u8], scale: u32) -> Result<Scalar<'a>, Refusal> {
    let negative = bytes.first().is_some_and(|first| *first >= 0x80);
    let mut wide = if negative { [0xff; 16] } else { [0; 16] };
    let Some(start) = wide.len().checked_sub(bytes.len()) else {
        return Err(refuse(BadValue, "a decimal is longer than 16 bytes"));
    };
    wide[start..].copy_from_slice(bytes);
    Ok(Scalar::Decimal { unscaled: i128::from_be_bytes(wide), scale })
}

#[cold]
fn incompatible() -> Refusal {
    refuse(SchemaIncompatible, "a union took a branch that an event can't hold there")
}
