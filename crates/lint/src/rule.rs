use crate::finding::{Confidence, Draft, Finding, Severity};
use crate::pipeline_view::PipelineView;
use crate::roles::Role;
use crate::view::View;

/// A rule: what it looks for, and everything that its reference page says.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The id in output, baselines and ignore comments: kebab-case.
    pub id: &'static str,
    /// Its title.
    pub name: &'static str,
    /// How much its findings matter where they do not say otherwise.
    pub severity: Severity,
    /// How sure its findings are where they do not say otherwise.
    pub confidence: Confidence,
    /// What it looks at.
    pub applies_to: &'static [Subject],
    /// What it looks for, in a sentence or two.
    pub what: &'static str,
    /// Why that is bad.
    pub why: &'static str,
    /// Something that it finds.
    pub example: &'static str,
    /// What to write instead.
    pub instead: &'static str,
    /// Where to read more.
    pub references: &'static [&'static str],
    pub(crate) check: Check,
}

/// What a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// Role trust policies of AWS.
    Aws,
    /// Federated identity credentials of Microsoft Entra.
    Azure,
    /// Workload identity pools of Google Cloud.
    Gcp,
    /// JWT roles of Vault and OpenBao.
    Vault,
    /// daypass's own roles.
    Daypass,
    /// CI configurations.
    Pipelines,
}

impl Subject {
    /// Every trust policy.
    pub const TRUST: &'static [Self] = &[Self::Aws, Self::Azure, Self::Gcp, Self::Vault, Self::Daypass];

    /// The name in documentation.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "AWS",
            Self::Azure => "Azure",
            Self::Gcp => "Google Cloud",
            Self::Vault => "Vault",
            Self::Daypass => "daypass",
            Self::Pipelines => "pipelines",
        }
    }
}

/// How a rule looks.
#[derive(Clone, Copy)]
pub(crate) enum Check {
    /// At one policy.
    Policy(fn(&View<'_>, &mut Vec<Draft>)),
    /// At all policies together.
    Roles(fn(&[Role<'_>], &mut Vec<Draft>)),
    /// At one pipeline.
    Pipeline(fn(&PipelineView<'_>, &mut Vec<Draft>)),
    /// The engine itself reports it.
    Engine,
}

impl std::fmt::Debug for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Policy(_) => "Policy",
            Self::Roles(_) => "Roles",
            Self::Pipeline(_) => "Pipeline",
            Self::Engine => "Engine",
        })
    }
}

impl Rule {
    pub(crate) fn on_policy(&self, view: &View<'_>) -> Vec<Finding> {
        let Check::Policy(check) = self.check else { return Vec::new() };
        let mut drafts = Vec::new();
        check(view, &mut drafts);
        drafts.into_iter().map(|draft| draft.finish(self)).collect()
    }

    pub(crate) fn on_roles(&self, roles: &[Role<'_>]) -> Vec<Finding> {
        let Check::Roles(check) = self.check else { return Vec::new() };
        let mut drafts = Vec::new();
        check(roles, &mut drafts);
        drafts.into_iter().map(|draft| draft.finish(self)).collect()
    }

    pub(crate) fn on_pipeline(&self, view: &PipelineView<'_>) -> Vec<Finding> {
        let Check::Pipeline(check) = self.check else { return Vec::new() };
        let mut drafts = Vec::new();
        check(view, &mut drafts);
        drafts.into_iter().map(|draft| draft.finish(self)).collect()
    }
}
