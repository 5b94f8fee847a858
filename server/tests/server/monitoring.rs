//! The alert rules and the dashboard in `deploy/` use metrics, labels and label values that the
//! server exports.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::TestServer;

/// Metrics that Prometheus itself has.
const OF_PROMETHEUS: [&str; 1] = ["up"];
/// Words of PromQL that are followed by a list of labels.
const LABEL_LISTS: [&str; 6] = [
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
];
/// Text that follows a function or an aggregation.
const FUNCTION_ENDS: [&str; 3] = ["(", "by ", "without "];
/// Other words of PromQL.
const OPERATORS: [&str; 5] = ["and", "or", "unless", "offset", "bool"];

/// Values of each label of each metric.
type Exported = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// Names in an expression.
#[derive(Debug, Default, PartialEq)]
struct Used {
    metrics: BTreeSet<String>,
    /// Metric, label, and the values that it is compared with.
    selectors: Vec<(String, String, Vec<String>)>,
    /// Labels by which values are grouped.
    groups: BTreeSet<String>,
}

fn deploy_file(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy");
    fs::read_to_string(folder.join(name)).expect("the file")
}

/// Reads the samples of the Prometheus text format.
fn read_samples(text: &str) -> Exported {
    let mut exported = Exported::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (series, _) = line.rsplit_once(' ').expect("a value");
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        let known = exported.entry(name.to_owned()).or_default();
        for label in labels.trim_end_matches('}').split("\",") {
            if let Some((label, value)) = label.split_once("=\"") {
                let values = known.entry(label.to_owned()).or_default();
                values.insert(value.trim_end_matches('"').to_owned());
            }
        }
    }
    exported
}

/// Reads the names in a PromQL expression, without functions, numbers, durations and operators.
fn read_expression(expression: &str) -> Used {
    let is_word = |it: char| it.is_ascii_alphanumeric() || it == '_';
    let mut used = Used::default();
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|it| !is_word(it)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if word.is_empty() {
            let skipped = match first {
                '[' => rest.find(']').expect("the end of a range"),
                _ => 0,
            };
            rest = &rest[skipped + first.len_utf8()..];
            continue;
        }
        rest = after;
        let is_number = first.is_ascii_digit();
        if is_number || OPERATORS.contains(&word) {
            continue;
        }
        if LABEL_LISTS.contains(&word) {
            let (labels, after) = enclosed(after, '(', ')').expect("labels");
            let labels = labels.split(',').map(|label| label.trim().to_owned());
            used.groups.extend(labels);
            rest = after;
        } else if !FUNCTION_ENDS
            .iter()
            .any(|end| after.trim_start().starts_with(end))
        {
            used.metrics.insert(word.to_owned());
            if let Some((matchers, after)) = enclosed(after, '{', '}') {
                for matcher in matchers.split("\",") {
                    let (label, value) = matcher.split_once('"').expect("a matcher");
                    let label = label.trim_end_matches(['=', '!', '~']).trim();
                    let values = value.trim_end_matches('"').split('|').map(str::to_owned);
                    let selector = (word.to_owned(), label.to_owned(), values.collect());
                    used.selectors.push(selector);
                }
                rest = after;
            }
        }
    }
    used
}

/// Text within brackets at the start, and the text after them.
fn enclosed(text: &str, open: char, close: char) -> Option<(&str, &str)> {
    text.trim_start().strip_prefix(open)?.split_once(close)
}

/// Asserts that all names of an expression are exported. `shown` are labels that its text shows.
fn check(exported: &Exported, expression: &str, shown: &[String]) {
    let used = read_expression(expression);
    let own = |name: &&String| !OF_PROMETHEUS.contains(&name.as_str());
    let labels_of = |name: &String| {
        let known = exported.get(name);
        known.unwrap_or_else(|| panic!("no metric {name}: {expression}"))
    };
    let metrics: Vec<_> = used.metrics.iter().filter(own).map(labels_of).collect();
    for (metric, label, values) in used.selectors.iter().filter(|(name, ..)| own(&name)) {
        let known = labels_of(metric).get(label);
        let known = known.unwrap_or_else(|| panic!("{metric} has no label {label}: {expression}"));
        for value in values {
            assert!(known.contains(value), "no {label} {value}: {expression}");
        }
    }
    for label in &used.groups {
        let has = metrics.iter().any(|labels| labels.contains_key(label));
        assert!(has, "no label {label}: {expression}");
    }
    for label in shown {
        assert!(
            used.groups.contains(label),
            "no group {label}: {expression}"
        );
    }
}

/// Labels in a text, between `start` and the next `}}`.
fn shown_labels(text: &str, start: &str) -> Vec<String> {
    let labels = text.split(start).skip(1);
    let label = |rest: &str| Some(rest.split_once("}}")?.0.trim().to_owned());
    labels.filter_map(label).collect()
}

/// Expressions and legends of the panels.
fn dashboard_targets(dashboard: &Value) -> Vec<(String, String)> {
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels
        .iter()
        .filter_map(|panel| panel["targets"].as_array());
    let text = |target: &Value, name: &str| target[name].as_str().expect("a text").to_owned();
    targets
        .flatten()
        .map(|target| (text(target, "expr"), text(target, "legendFormat")))
        .collect()
}

async fn exported() -> Exported {
    let server = TestServer::start(&[]).await;
    let accept = [("accept", "text/plain")];
    let text = server.request("GET", "/metrics", &accept).await.body;
    read_samples(&text)
}

#[tokio::test]
async fn alert_rules_use_metrics_and_labels_that_exist() {
    let exported = exported().await;
    let rules = deploy_file("prometheus-alerts.yml");
    let rules: Vec<_> = rules.split("- alert: ").skip(1).collect();
    assert!(rules.len() > 5);
    for rule in rules {
        let expression = rule
            .lines()
            .find_map(|line| line.trim_start().strip_prefix("expr: "))
            .unwrap_or_else(|| panic!("an expression in one line: {rule}"));
        check(&exported, expression, &shown_labels(rule, "{{ $labels."));
    }
}

#[tokio::test]
async fn the_dashboard_uses_metrics_and_labels_that_exist() {
    let exported = exported().await;
    let dashboard = deploy_file("grafana-dashboard.json");
    let dashboard = serde_json::from_str(&dashboard).expect("JSON");
    let targets = dashboard_targets(&dashboard);
    assert!(targets.len() > 10);
    for (expression, legend) in targets {
        check(&exported, &expression, &shown_labels(&legend, "{{"));
    }
}

#[test]
fn names_in_expressions_are_told_from_functions_and_numbers() {
    let used = read_expression(
        r#"sum by (le, path) (rate(a_total{b=~"c|d",e!="f"}[5m])) / x > 0.5 and on (y) up offset 1h"#,
    );
    let names = |names: &[&str]| names.iter().map(|it| it.to_string()).collect();
    let expected = Used {
        metrics: names(&["a_total", "x", "up"]),
        selectors: vec![
            ("a_total".into(), "b".into(), vec!["c".into(), "d".into()]),
            ("a_total".into(), "e".into(), vec!["f".into()]),
        ],
        groups: names(&["le", "path", "y"]),
    };
    assert_eq!(used, expected);
}

#[tokio::test]
#[should_panic(expected = "no metric gruppetto_misspelt")]
async fn a_metric_that_does_not_exist_is_found() {
    check(&exported().await, "sum(gruppetto_misspelt)", &[]);
}
