//! Questions about the one who asks and the server itself.

use http::{Request, header};
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::client::Body;

use super::connect::Cluster;
use super::error::ClusterError;

const REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

impl Cluster {
    /// Whether the user may do something, by a `SelfSubjectAccessReview`. Repeated as [`Cluster::get`] is.
    ///
    /// # Errors
    ///
    /// See [`super::ErrorKind`].
    pub async fn may(&self, attributes: ResourceAttributes) -> Result<bool, ClusterError> {
        let review = SelfSubjectAccessReview {
            spec: SelfSubjectAccessReviewSpec {
                resource_attributes: Some(attributes),
                ..SelfSubjectAccessReviewSpec::default()
            },
            ..SelfSubjectAccessReview::default()
        };
        let body = serde_json::to_vec(&review).map_err(|error| ClusterError::malformed(REVIEWS, &error))?;
        let request = || {
            Request::post(REVIEWS)
                .header(header::CONTENT_TYPE, "application/json")
                .body(Body::from(body.clone()))
        };
        let answer = self.repeat(REVIEWS, request).await?;
        let review: SelfSubjectAccessReview =
            serde_json::from_slice(&answer).map_err(|error| ClusterError::malformed(REVIEWS, &error))?;
        Ok(review.status.is_some_and(|status| status.allowed))
    }

    /// What time the server, or the proxy before it, thinks it is: the `Date` of an HTTP answer, to the second.
    /// `None` if the answer has none.
    ///
    /// # Errors
    ///
    /// See [`super::ErrorKind`].
    pub async fn date(&self) -> Result<Option<String>, ClusterError> {
        const PATH: &str = "/version";
        let request = Request::get(PATH)
            .body(Body::empty())
            .map_err(|error| ClusterError::malformed(PATH, &error))?;
        let response = self
            .within(self.client().send(request))
            .await?
            .map_err(|error| self.error(&error, PATH))?;
        let date = response.headers().get(header::DATE);
        Ok(date.and_then(|date| date.to_str().ok()).map(ToOwned::to_owned))
    }
}
