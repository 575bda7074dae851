//! Submits a job, and follows it to its end.

use serde_json::json;
use slotd::v1::{JobFilter, JobSpec};
use slotd::{Client, Payload};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // At SLOTD_ADDRESS, else at 127.0.0.1:7433.
    let client = Client::from_env()?;

    let payload = Payload::json(&json!({"seconds": 0.5}))?;
    let submitted = client.submit(JobSpec::new("sleep").with_payload(payload)).await?;
    println!("submitted {}", submitted.job.id);

    // What has happened to it, and what will, until it has ended.
    let mut events = client.stream(JobFilter { job_ids: vec![submitted.job.id.clone()], ..Default::default() });
    while let Some(event) = events.next().await {
        let job = event?.job.unwrap_or_default();
        println!("{}", job.state().as_str_name());
    }

    let job = client.wait(&submitted.job).await?;
    println!("{:?}", job.result.unwrap_or_default().decode()?);
    Ok(())
}
