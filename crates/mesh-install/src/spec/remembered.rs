//! What was asked for at an installation, for later ones of the same control plane.

use serde_json::{Value, json};

use super::{Request, Source};

impl Request {
    /// The request as it is remembered with an installation.
    pub fn remembered(&self) -> Value {
        let files = self.files.iter();
        let files: Vec<Value> = files
            .map(|file| json!({ "name": file.name, "text": &*file.text }))
            .collect();
        json!({
            "profile": self.profile,
            "files": files,
            "set": self.sets,
            "hub": self.hub,
            "tag": self.tag,
        })
    }

    /// Adds what is remembered of an earlier installation below what is said now. The tag is not one of it: a new one is
    /// why one upgrades.
    pub fn lay_over(&mut self, remembered: &Value) {
        let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
        let files = remembered["files"].as_array().into_iter().flatten();
        let mut sources: Vec<Source> = files
            .filter_map(|file| {
                Some(Source {
                    name: text(&file["name"])?,
                    text: text(&file["text"])?.into(),
                })
            })
            .collect();
        sources.append(&mut self.files);
        self.files = sources;
        let sets = remembered["set"].as_array().into_iter().flatten();
        let mut sets: Vec<String> = sets.filter_map(text).collect();
        sets.append(&mut self.sets);
        self.sets = sets;
        self.profile = self.profile.take().or_else(|| text(&remembered["profile"]));
        self.hub = self.hub.take().or_else(|| text(&remembered["hub"]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_lies_below_what_is_said_now() {
        let file = |text: &str| Source {
            name: text.to_owned(),
            text: text.into(),
        };
        let earlier = Request {
            files: vec![file("a: 1")],
            sets: vec!["hub=x".to_owned()],
            profile: Some("demo".to_owned()),
            tag: Some("1.29.0".to_owned()),
            ..Request::default()
        };
        let mut now = Request {
            files: vec![file("b: 2")],
            sets: vec!["hub=y".to_owned()],
            ..Request::default()
        };
        now.lay_over(&earlier.remembered());
        let names: Vec<_> = now.files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["a: 1", "b: 2"]);
        assert_eq!(now.sets, ["hub=x", "hub=y"]);
        assert_eq!((now.profile.as_deref(), now.tag), (Some("demo"), None));
    }
}
