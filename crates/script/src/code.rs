//! The stable code of every refusal and warning.
//!
//! A code is one word in messages, in machine output and in the language reference; it is never renamed. Each has a
//! file under `tests/refused/` of the crate that gives it and a section in the reference that says what to do.

/// Whether a rule set with the problem can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// It can't.
    Error,
    /// It can, but probably doesn't do what was meant.
    Warning,
}

/// Declares the codes once: what each means, variant, word, severity, how to mend it.
macro_rules! codes {
    ($(#[doc = $doc:literal] $variant:ident = $word:literal, $severity:ident, $cure:literal;)*) => {
        /// Why something is refused or warned of.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $doc] $variant,)*
        }

        impl Code {
            /// Every code, in the order of the reference.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Those that only the tests of audiences can give.
            pub const OF_TESTS: &'static [Self] = &[
                Self::BadEvent,
                Self::RefusedEvent,
                Self::BadExpectation,
                Self::NotInOrder,
                Self::UntilTooEarly,
                Self::DuplicateCase,
                Self::GoesOn,
                Self::Untested,
            ];

            /// The word that messages carry; never renamed.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            /// What it means, a sentence in Markdown.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => $doc,)*
                }
                .trim()
            }

            /// How to mend it, half a sentence in Markdown.
            #[must_use]
            pub const fn cure(self) -> &'static str {
                match self {
                    $(Self::$variant => $cure,)*
                }
            }

            /// How grave it is.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self {
                    $(Self::$variant => Severity::$severity,)*
                }
            }
        }
    };
}

codes! {
    /// The document is no YAML; other documents are still checked.
    YamlSyntax = "yaml_syntax", Error, "look for a missing quotation mark, bracket or colon before the place";
    /// Bytes that are no UTF-8, or the sign U+FFFD, which stands where such bytes were.
    NotUtf8 = "not_utf8", Error, "save the file as UTF-8, and write anew what U+FFFD stands for";
    /// A tab where YAML wants blanks.
    Tab = "tab", Error, "indent with blanks";
    /// `count: >= 3`, `country: != GB`: without quotes YAML reads a block of text or a tag.
    UnquotedOperator = "unquoted_operator", Error, "quote it: `\">= 3\"`";
    /// An anchor `&x`, an alias `*x` or a tag `!x`.
    YamlFeature = "yaml_feature", Error, "write it out, or quote a text that begins so";
    /// One key twice in a mapping, or two event names that fold to one.
    DuplicateKey = "duplicate_key", Error, "keep one";
    /// A file, a document or a nesting over its bound.
    TooLarge = "too_large", Error, "split it, nest less";
    /// More than 50,000 audiences.
    TooManyAudiences = "too_many_audiences", Error, "fewer, wider audiences";
    /// More than 1,000 problems; reading stopped there.
    TooManyProblems = "too_many_problems", Error, "mend those shown first";
    /// The first key is not `audience`, `paint` or `tests`.
    UnknownKind = "unknown_kind", Error, "begin with one of them";
    /// A key that means nothing here, perhaps misspelt.
    UnknownKey = "unknown_key", Error, "take the name that the message suggests";
    /// A key that must be there is not.
    MissingKey = "missing_key", Error, "add it";
    /// A text where a mapping or list is wanted, or the other way round.
    WrongShape = "wrong_shape", Error, "write it as the message says; docs/language has an example of each";
    /// A part of the language that comes later.
    NotBuiltYet = "not_built_yet", Error, "leave it out for now";
    /// An audience's name has other characters than allowed, or is too long.
    BadName = "bad_name", Error, "lower-case letters, digits, `-`, `_`, `.`";
    /// Two audiences have one name.
    DuplicateAudience = "duplicate_audience", Error, "rename one";
    /// An event's name has no letter or digit.
    BadEventName = "bad_event_name", Error, "name it such as `product_added`";
    /// A condition with several keys, or with none; an `interest` that asks two things; an empty `all` or `any`.
    OneCondition = "one_condition", Error, "put several under `all:` or `any:`";
    /// `within`, `count`, `where`, `after` or `is` outside an event.
    WindowWithoutEvent = "window_without_event", Error, "put it inside `event: { name: ... }`";
    /// `after` is not `last NAME`.
    BadAfter = "bad_after", Error, "`after: last product_added`";
    /// A duration that can't be read, such as `1 w`, `1.5h`, `2 months`.
    BadDuration = "bad_duration", Error, "`1w`, `1h30m`, `60d`";
    /// A window, distance, half-life or `stay.at_most` of zero.
    DurationNotPositive = "duration_not_positive", Error, "make it longer than nothing";
    /// A duration longer than `history.max_age`.
    WindowOverHistory = "window_over_history", Error, "shorten it, or keep history longer";
    /// A duration longer than `profile.idle`, after which a quiet profile ends.
    DurationOverIdle = "duration_over_idle", Error, "shorten it, or raise `profile.idle`";
    /// A count that is no whole number or comparison of one.
    BadCount = "bad_count", Error, "`3`, `\">= 3\"`, `between 2 and 5`";
    /// An `is` that doesn't say which side, or whose value can't be read.
    BadComparison = "bad_comparison", Error, "`\">= 1h ago\"`, `\"< 6\"`";
    /// A sum over a field that holds no number.
    BadSumField = "bad_sum_field", Error, "`revenue`, `quantity`, `price`, or a kept `properties.NAME`";
    /// A sequence of fewer than 2 or more than 16 steps.
    BadSteps = "bad_steps", Error, "for one step write `event`";
    /// An `in` of an audience that is not in this folder.
    UnknownAudience = "unknown_audience", Error, "take the name that the message suggests";
    /// Audiences that are `in` each other, or one that is `in` itself.
    CyclicIn = "cyclic_in", Error, "say in one of them what it needs itself";
    /// Not one of `shop`, `brand/NAME`, `category/PATH`, `product/ID`.
    BadTag = "bad_tag", Error, "write one of them";
    /// Every score is at least 0, so such a threshold says nothing.
    ThresholdNotPositive = "threshold_not_positive", Error, "ask for more than nothing";
    /// Tags are forgotten before they fade to the threshold.
    ThresholdBelowForget = "threshold_below_forget", Error, "raise it, or lower `forget_below`";
    /// No event in the paint adds to tags of this level.
    UnpaintedTag = "unpainted_tag", Error, "give an event a weight for the level";
    /// A field that events don't have.
    UnknownField = "unknown_field", Error, "see the table of fields; others are `properties.NAME`";
    /// History doesn't keep this field.
    FieldNotKept = "field_not_kept", Error, "add the line that the message shows to the settings";
    /// Of products, brands and categories history keeps ids, not letters.
    StartsWithOnId = "starts_with_on_id", Error, "list the names; a category matches all below it";
    /// A value that the field can't be compared with.
    BadValue = "bad_value", Error, "a number for numbers, a path that begins with `/`, a list for odd texts";
    /// A count, range or combination that no visitor can meet.
    NeverTrue = "never_true", Error, "look at the other place that the message names";
    /// A condition that everybody meets.
    NeverFalse = "never_false", Error, "leave it out";
    /// `exit_when` holds whenever `enter` does.
    NeverEntered = "never_entered", Error, "make `exit_when` ask for something else";
    /// `stay.at_least` is longer than `stay.at_most`.
    AtLeastOverAtMost = "at_least_over_at_most", Error, "swap them";
    /// `exit_when` ends a stay at once, so `stay.at_least` would mean nothing.
    AtLeastBesideExitWhen = "at_least_beside_exit_when", Error, "leave one of them out";
    /// More than 1,000 leaves in one audience.
    TooManyLeaves = "too_many_leaves", Error, "use lists in `where`";
    /// No document says how events paint.
    NoPaint = "no_paint", Error, "add a `paint` document";
    /// More than one paint document.
    DuplicatePaint = "duplicate_paint", Error, "keep one";
    /// A weight that is not a number above 0, or `clear`.
    BadWeight = "bad_weight", Error, "write one";
    /// A falloff that is not above 0 and at most 1.
    BadFalloff = "bad_falloff", Error, "write one";
    /// A `forget_below` that is negative or no number.
    BadForgetBelow = "bad_forget_below", Error, "0 or more";
    /// In a test, an event that is not `OFFSET NAME key=value ...`.
    BadEvent = "bad_event", Error, "`OFFSET NAME key=value ...`, such as `10m product_added product=shoe-1`";
    /// In a test, an event that a source would refuse, such as a price that is no number.
    RefusedEvent = "refused_event", Error, "write what docs/events.md allows";
    /// Not `OFFSET entered` or `OFFSET exited`, or an exit before an entry.
    BadExpectation = "bad_expectation", Error, "a visitor begins outside, then the two take turns";
    /// Events or expectations of a case go back in time.
    NotInOrder = "not_in_order", Error, "list them in order; offsets count from the beginning";
    /// `until` lies before the last event or expectation.
    UntilTooEarly = "until_too_early", Error, "a later one";
    /// Two cases of one audience have one name.
    DuplicateCase = "duplicate_case", Error, "say what is special about each";
    /// `exit_when` has a window on an event that `enter` negates with `after`: an old purchase would keep a new cart out.
    ExitWithinAfter = "exit_within_after", Warning, "use `after` in both";
    /// `exit_when` needs a further event and there is no `stay.at_most`: who never comes back stays until the profile ends.
    ExitNotByTime = "exit_not_by_time", Warning, "add `stay: { at_most: ... }`";
    /// A `*` that stands for itself: only `page.path` takes patterns.
    StarIsALetter = "star_is_a_letter", Warning, "`starts_with`, a list, or the category above";
    /// An event name that never came in.
    UnseenEvent = "unseen_event", Warning, "check its spelling";
    /// A count beyond `history.max_strokes`; older events are folded by the day.
    CountOverHistory = "count_over_history", Warning, "lower it, or keep more";
    /// A backtest takes a field for kept because a rule names it.
    FieldToKeep = "field_to_keep", Warning, "add the line before going live";
    /// A case of a test ends, but time alone goes on changing the audience.
    GoesOn = "goes_on", Warning, "expect that change too, or give a later `until`";
    /// `tzeva audience test` found audiences without a test.
    Untested = "untested", Warning, "write one";
    /// More than 1,000 warnings; the rest are only counted.
    MoreWarnings = "more_warnings", Warning, "mend those shown first";
    /// There is no audience in these files.
    NoAudiences = "no_audiences", Warning, "check the folder";
}
