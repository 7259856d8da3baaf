//! The thread that encodes and decodes: whatever waits is done together.

use std::io;
use std::sync::Arc;
use std::thread;

use morphvae::data::Images;
use morphvae::evaluation::{self, Codes};
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};

use crate::LatentMap;

/// Jobs that may wait; whoever comes then waits to be let in.
const WAITING: usize = 256;

/// Images that are done in one go, about: what comes meanwhile waits no longer than these take.
const TOGETHER: usize = 64;

/// Images of one job, at most: long work is cut, so that short work comes in between.
const PIECE: usize = 32;

/// Where work is handed in. The thread ends when the last of these is gone.
#[derive(Clone, Debug)]
pub(crate) struct Worker {
    queue: mpsc::Sender<Job>,
}

/// The worker gave no answer.
#[derive(Clone, Copy, Debug, Error)]
#[error("the decoder has stopped: start the program again")]
pub(crate) struct Stopped;

#[derive(Debug)]
struct Job {
    map: Arc<LatentMap>,
    task: Task,
}

#[derive(Debug)]
enum Task {
    Decode {
        points: Vec<f32>,
        answer: oneshot::Sender<Vec<u8>>,
    },
    Encode {
        image: Vec<u8>,
        answer: oneshot::Sender<Codes>,
    },
}

impl Worker {
    /// Starts the thread; it computes with `threads` threads in all, of which it is one.
    pub fn start(threads: usize) -> io::Result<Self> {
        let (queue, jobs) = mpsc::channel(WAITING);
        let work = move || {
            // A pool of its own, with this thread in it: kernels start without a switch between threads, and neither wait
            // for the threads of a training nor need the one that made the global pool and sleeps in it. Where no more
            // threads can be had, the global pool does it, less quickly.
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .use_current_thread();
            let _pool = pool.build();
            run(jobs);
        };
        thread::Builder::new().name("decoder".into()).spawn(work)?;
        Ok(Self { queue })
    }

    /// The images at points that the network's decoder takes: `[count, channels, size, size]`.
    pub async fn decode(&self, map: &Arc<LatentMap>, points: &[f32]) -> Result<Vec<u8>, Stopped> {
        let config = map.network().config();
        let mut images = Vec::with_capacity(points.len() / config.point() * config.image_length());
        for piece in points.chunks(PIECE * config.point()) {
            let (answer, result) = oneshot::channel();
            let points = piece.to_vec();
            self.hand_in(map, Task::Decode { points, answer }).await?;
            images.extend(result.await.map_err(|_| Stopped)?);
        }
        Ok(images)
    }

    /// Where an image of the network's size lies, `[channels, size, size]`.
    pub async fn encode(&self, map: &Arc<LatentMap>, image: Vec<u8>) -> Result<Codes, Stopped> {
        let (answer, result) = oneshot::channel();
        self.hand_in(map, Task::Encode { image, answer }).await?;
        result.await.map_err(|_| Stopped)
    }

    async fn hand_in(&self, map: &Arc<LatentMap>, task: Task) -> Result<(), Stopped> {
        let map = Arc::clone(map);
        self.queue.send(Job { map, task }).await.map_err(|_| Stopped)
    }
}

impl Task {
    /// How many images it is of, where a point has so many numbers.
    fn images(&self, point: usize) -> usize {
        match self {
            Self::Decode { points, .. } => points.len() / point,
            Self::Encode { .. } => 1,
        }
    }

    /// Whether nobody waits for the answer any more.
    fn is_abandoned(&self) -> bool {
        match self {
            Self::Decode { answer, .. } => answer.is_closed(),
            Self::Encode { answer, .. } => answer.is_closed(),
        }
    }
}

fn run(mut queue: mpsc::Receiver<Job>) {
    while let Some(first) = queue.blocking_recv() {
        let mut jobs = together(first, &mut queue);
        // While a training is watched, its map changes now and then.
        while let Some(Job { map, .. }) = jobs.first() {
            let map = Arc::clone(map);
            let (these, others) = jobs.into_iter().partition(|job| Arc::ptr_eq(&job.map, &map));
            work(&map, these);
            jobs = others;
        }
    }
}

/// What is done in one go: `first` and what waits behind it, as far as anybody waits for its answer.
fn together(first: Job, queue: &mut mpsc::Receiver<Job>) -> Vec<Job> {
    let mut images = 0;
    let mut jobs = Vec::new();
    let mut next = Some(first);
    while let Some(job) = next {
        if !job.task.is_abandoned() {
            images += job.task.images(job.map.network().config().point());
            jobs.push(job);
        }
        next = if images < TOGETHER { queue.try_recv().ok() } else { None };
    }
    jobs
}

/// Does all decoding in one pass and all encoding in another.
fn work(map: &LatentMap, jobs: Vec<Job>) {
    let config = map.network().config();
    let (mut points, mut decoded) = (Vec::new(), Vec::new());
    let (mut pixels, mut encoded) = (Vec::new(), Vec::new());
    for job in jobs {
        match job.task {
            Task::Decode { points: own, answer } => {
                decoded.push((own.len() / config.point(), answer));
                points.extend(own);
            }
            Task::Encode { image, answer } => {
                encoded.push(answer);
                pixels.extend(image);
            }
        }
    }
    if !decoded.is_empty() {
        // Numbers that are no points have no images: dropping `decoded` tells those who wait.
        let Ok(images) = evaluation::decode(map.network(), &points) else {
            return;
        };
        let mut rest = images.pixels();
        for (count, answer) in decoded {
            let (own, others) = rest.split_at(count * config.image_length());
            rest = others;
            // Whoever went away meanwhile misses nothing.
            let _ = answer.send(own.to_vec());
        }
    }
    if !encoded.is_empty() {
        let images = Images::new(config.channels, config.image_size, config.image_size, pixels);
        // Images that do not fit have no codes: dropping `encoded` tells those who wait.
        let Some(codes) = images
            .ok()
            .and_then(|images| evaluation::encode(map.network(), &images).ok())
        else {
            return;
        };
        let moments = codes
            .mean
            .chunks(config.latent)
            .zip(codes.log_variance.chunks(config.latent));
        for (index, (answer, (mean, log_variance))) in encoded.into_iter().zip(moments).enumerate() {
            let _ = answer.send(Codes {
                latent: config.latent,
                mean: mean.to_vec(),
                log_variance: log_variance.to_vec(),
                classes: codes.classes.get(index).copied().into_iter().collect(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use morphvae::network::{Architecture, Inference, NetworkConfig, Vae};

    use super::*;
    use crate::{ModelFacts, ShownImages};

    fn map() -> Arc<LatentMap> {
        let config = NetworkConfig {
            architecture: Architecture::Reference { base_channels: 1 },
            ..NetworkConfig::default()
        };
        let network = Inference::new(&Vae::new(config, 0, &Device::flex()).unwrap());
        let shown = Arc::new(ShownImages::none(1));
        let codes = evaluation::encode(&network, shown.images()).unwrap();
        Arc::new(LatentMap::new(network, ModelFacts::default(), shown, codes).unwrap())
    }

    #[test]
    fn what_nobody_waits_for_is_not_computed() {
        let map = map();
        let job = || {
            let (answer, result) = oneshot::channel();
            let points = vec![0.0; 2 * PIECE];
            let task = Task::Decode { points, answer };
            let map = Arc::clone(&map);
            (Job { map, task }, result)
        };
        let (sender, mut queue) = mpsc::channel(WAITING);
        for _ in 0..100 {
            sender.try_send(job().0).unwrap();
        }
        let waited_for: Vec<_> = (0..3)
            .map(|_| job())
            .map(|(job, result)| (sender.try_send(job), result))
            .collect();
        let first = queue.blocking_recv().unwrap();
        // Those of a hundred clients who went away are passed over at once, and two others' fill a pass.
        assert_eq!(together(first, &mut queue).len(), 2);
        assert_eq!(queue.len(), 1);
        drop(waited_for);
        let last = queue.blocking_recv().unwrap();
        assert_eq!(together(last, &mut queue).len(), 0);
    }
}
