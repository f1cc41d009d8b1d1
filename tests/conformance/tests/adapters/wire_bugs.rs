//! The bugs that can be planted in the server of the little ledger.

/// One bug of the protocol each. What it does is where it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WireBug {
    None,
    VersionUnheeded,
    NewerBusRefused,
    KindOfNobody,
    SchemaIsText,
    SummaryEmpty,
    OtherSettingsTaken,
    SameSettingsRefused,
    CallBeforeSettings,
    CreditUnheeded,
    CreditReplaced,
    EndNeedsCredit,
    OverrunBorne,
    EndTwice,
    MessageAfterEnd,
    FaultAsStatus,
    FaultWithoutClass,
    MessageApartLost,
    NoStartAnswered,
    LongMessageCutOff,
    CallsUnbounded,
    ThrottledForEver,
    HealthUnsaid,
    CutOffUncounted,
    LookupMadeUp,
    OpenCarried,
    RequestsLogged,
    SecretLogged,
    EndsOnGarbage,
    DeadlineUnread,
    /// No bug: the ledger that tells of what was posted. Those below are of this one.
    Receives,
    ReceivedUntyped,
    ReceivedUncounted,
    StreamsBeside,
    TakenAgain,
    RefusedAgain,
    ForgottenEarly,
    NewIdEachTime,
}

impl WireBug {
    /// Whether this ledger tells of what was posted.
    pub(crate) fn receives(self) -> bool {
        self as usize >= Self::Receives as usize
    }
}

/// All of them, by name.
pub(crate) const WIRE_BUGS: [WireBug; 38] = [
    WireBug::None,
    WireBug::VersionUnheeded,
    WireBug::NewerBusRefused,
    WireBug::KindOfNobody,
    WireBug::SchemaIsText,
    WireBug::SummaryEmpty,
    WireBug::OtherSettingsTaken,
    WireBug::SameSettingsRefused,
    WireBug::CallBeforeSettings,
    WireBug::CreditUnheeded,
    WireBug::CreditReplaced,
    WireBug::EndNeedsCredit,
    WireBug::OverrunBorne,
    WireBug::EndTwice,
    WireBug::MessageAfterEnd,
    WireBug::FaultAsStatus,
    WireBug::FaultWithoutClass,
    WireBug::MessageApartLost,
    WireBug::NoStartAnswered,
    WireBug::LongMessageCutOff,
    WireBug::CallsUnbounded,
    WireBug::ThrottledForEver,
    WireBug::HealthUnsaid,
    WireBug::CutOffUncounted,
    WireBug::LookupMadeUp,
    WireBug::OpenCarried,
    WireBug::RequestsLogged,
    WireBug::SecretLogged,
    WireBug::EndsOnGarbage,
    WireBug::DeadlineUnread,
    WireBug::Receives,
    WireBug::ReceivedUntyped,
    WireBug::ReceivedUncounted,
    WireBug::StreamsBeside,
    WireBug::TakenAgain,
    WireBug::RefusedAgain,
    WireBug::ForgottenEarly,
    WireBug::NewIdEachTime,
];
