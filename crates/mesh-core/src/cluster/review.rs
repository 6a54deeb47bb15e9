//! Questions about the one who asks and the server itself.

use http::{Request, header};
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::client::Body;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::connect::Cluster;
use super::error::ClusterError;

const ACCESS_REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
const USER_REVIEWS: &str = "/apis/authentication.k8s.io/v1/selfsubjectreviews";

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
        let review = self.review(ACCESS_REVIEWS, &review).await?;
        Ok(review.status.is_some_and(|status| status.allowed))
    }

    /// The name of the user that the server takes this one for, by a `SelfSubjectReview`.
    ///
    /// # Errors
    ///
    /// See [`super::ErrorKind`].
    pub async fn user(&self) -> Result<String, ClusterError> {
        let review = self.review(USER_REVIEWS, &SelfSubjectReview::default()).await?;
        let user = review.status.and_then(|status| status.user_info?.username);
        Ok(user.unwrap_or_default())
    }

    /// Creates an object that the server answers by filling it in.
    async fn review<T: Serialize + DeserializeOwned>(
        &self,
        path: &str,
        question: &T,
    ) -> Result<T, ClusterError> {
        let body = serde_json::to_vec(question).map_err(|error| ClusterError::malformed(path, &error))?;
        let request = || {
            Request::post(path)
                .header(header::CONTENT_TYPE, "application/json")
                .body(Body::from(body.clone()))
        };
        let answer = self.repeat(path, request).await?;
        serde_json::from_slice(&answer).map_err(|error| ClusterError::malformed(path, &error))
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
