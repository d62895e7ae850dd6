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

/// Declares the codes once: variant, word, severity.
macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $word:literal, $severity:ident;)*) => {
        /// Why something is refused or warned of.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[$doc])* $variant,)*
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
    /// The file is no YAML.
    YamlSyntax = "yaml_syntax", Error;
    /// A tab where YAML wants blanks.
    Tab = "tab", Error;
    /// An operator that YAML takes for something else, for want of quotes.
    UnquotedOperator = "unquoted_operator", Error;
    /// An anchor, an alias or a tag of YAML.
    YamlFeature = "yaml_feature", Error;
    /// One key twice in one mapping.
    DuplicateKey = "duplicate_key", Error;
    /// A file, a document or a nesting over its bound.
    TooLarge = "too_large", Error;
    /// More audiences than a rule set may have.
    TooManyAudiences = "too_many_audiences", Error;
    /// More refusals than anybody reads at once.
    TooManyProblems = "too_many_problems", Error;
    /// A document that is neither audience, paint nor tests.
    UnknownKind = "unknown_kind", Error;
    /// A key that means nothing here.
    UnknownKey = "unknown_key", Error;
    /// A key that must be there is not.
    MissingKey = "missing_key", Error;
    /// A mapping where a text is wanted, or the other way round.
    WrongShape = "wrong_shape", Error;
    /// A part of the language that comes later.
    NotBuiltYet = "not_built_yet", Error;
    /// A name that no audience may have.
    BadName = "bad_name", Error;
    /// Two audiences of one name.
    DuplicateAudience = "duplicate_audience", Error;
    /// An event without a usable name.
    BadEventName = "bad_event_name", Error;
    /// A condition with several keys, or a list of none.
    OneCondition = "one_condition", Error;
    /// A window, a count or a filter that belongs to no event.
    WindowWithoutEvent = "window_without_event", Error;
    /// An `after` that is not `last NAME`.
    BadAfter = "bad_after", Error;
    /// A duration that can't be read.
    BadDuration = "bad_duration", Error;
    /// A duration of nothing where that makes no sense.
    DurationNotPositive = "duration_not_positive", Error;
    /// A duration longer than history is kept.
    WindowOverHistory = "window_over_history", Error;
    /// A duration longer than a quiet profile lives.
    DurationOverIdle = "duration_over_idle", Error;
    /// A count that can't be read.
    BadCount = "bad_count", Error;
    /// An `is` that can't be read.
    BadComparison = "bad_comparison", Error;
    /// A sum of something that is no number.
    BadSumField = "bad_sum_field", Error;
    /// A sequence of too few or too many steps.
    BadSteps = "bad_steps", Error;
    /// An `in` of an audience that there isn't.
    UnknownAudience = "unknown_audience", Error;
    /// Audiences that are `in` each other.
    CyclicIn = "cyclic_in", Error;
    /// A tag that can't be read.
    BadTag = "bad_tag", Error;
    /// A threshold that every score reaches.
    ThresholdNotPositive = "threshold_not_positive", Error;
    /// A threshold below which tags are forgotten.
    ThresholdBelowForget = "threshold_below_forget", Error;
    /// A tag of a level that no event paints.
    UnpaintedTag = "unpainted_tag", Error;
    /// A field that events don't have.
    UnknownField = "unknown_field", Error;
    /// A field that history doesn't keep.
    FieldNotKept = "field_not_kept", Error;
    /// `starts_with` on a field of which history keeps only an id.
    StartsWithOnId = "starts_with_on_id", Error;
    /// A value that the field can't be compared with.
    BadValue = "bad_value", Error;
    /// A condition that can never be true.
    NeverTrue = "never_true", Error;
    /// A condition that can never be false.
    NeverFalse = "never_false", Error;
    /// `enter` and `exit_when` that leave nobody in.
    NeverEntered = "never_entered", Error;
    /// `stay.at_least` longer than `stay.at_most`.
    AtLeastOverAtMost = "at_least_over_at_most", Error;
    /// `stay.at_least` beside `exit_when`.
    AtLeastBesideExitWhen = "at_least_beside_exit_when", Error;
    /// More leaves in an audience than places can be told apart.
    TooManyLeaves = "too_many_leaves", Error;
    /// No paint document.
    NoPaint = "no_paint", Error;
    /// More than one paint document.
    DuplicatePaint = "duplicate_paint", Error;
    /// A weight that is no positive number.
    BadWeight = "bad_weight", Error;
    /// A falloff outside (0, 1].
    BadFalloff = "bad_falloff", Error;
    /// A `forget_below` that is negative or no number.
    BadForgetBelow = "bad_forget_below", Error;
    /// An event of a test that can't be read.
    BadEvent = "bad_event", Error;
    /// An event of a test that a source of events would refuse.
    RefusedEvent = "refused_event", Error;
    /// An expectation that is not `OFFSET entered` or `OFFSET exited`, or that nobody can meet.
    BadExpectation = "bad_expectation", Error;
    /// Events or expectations of a test that go back in time.
    NotInOrder = "not_in_order", Error;
    /// An `until` before something that the test tells or expects.
    UntilTooEarly = "until_too_early", Error;
    /// Two cases of one name.
    DuplicateCase = "duplicate_case", Error;
    /// An exit with a window that an old event keeps shut.
    ExitWithinAfter = "exit_within_after", Warning;
    /// A stay that nothing but further events ends.
    ExitNotByTime = "exit_not_by_time", Warning;
    /// An event that was never seen.
    UnseenEvent = "unseen_event", Warning;
    /// A count beyond the strokes that history keeps.
    CountOverHistory = "count_over_history", Warning;
    /// A rule on a field that the settings will have to keep.
    FieldToKeep = "field_to_keep", Warning;
    /// A case that ends before time has brought all that it will.
    GoesOn = "goes_on", Warning;
    /// An audience without a test.
    Untested = "untested", Warning;
    /// More warnings than anybody reads at once.
    MoreWarnings = "more_warnings", Warning;
    /// Nothing to decide.
    NoAudiences = "no_audiences", Warning;
}
