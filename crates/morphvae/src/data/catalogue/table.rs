//! The table of known sets: names, classes, addresses and digests. Facts only.
//!
//! Lengths and digests are those that TensorFlow Datasets publishes for these files (its `url_checksums`); those of
//! MNIST and Fashion-MNIST were computed from the files as well, whose MD5 digests are those in torchvision's
//! `mnist.py`. Addresses that are known to be dead, or to answer with an HTML page, are left out. Plain HTTP stands last: the
//! digests make it safe, but not private.

use super::{Archive, BINARIZED_MNIST, Contents, KnownSet, Published, Source};

/// The names that MNIST gave its files, and the sets made in its image kept.
const MNIST_FILES: [&str; 4] = [
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
];

/// Digits, capital letters, small letters: the order of EMNIST's labels.
const CHARACTERS: [&str; 62] = [
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", //
    "A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M", //
    "N", "O", "P", "Q", "R", "S", "T", "U", "V", "W", "X", "Y", "Z", //
    "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", //
    "n", "o", "p", "q", "r", "s", "t", "u", "v", "w", "x", "y", "z",
];

const DIGITS: &[&str] = CHARACTERS.split_at(10).0;
const SMALL_LETTERS: &[&str] = CHARACTERS.split_at(36).1;

/// The same, with one class for a letter that looks alike in both cases.
const MERGED_CHARACTERS: [&str; 47] = [
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", //
    "A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M", //
    "N", "O", "P", "Q", "R", "S", "T", "U", "V", "W", "X", "Y", "Z", //
    "a", "b", "d", "e", "f", "g", "h", "n", "q", "r", "t",
];

/// A set of EMNIST, whose images are stored by columns.
macro_rules! emnist {
    ($set:literal, $description:literal, $classes:expr, $labels:expr) => {
        KnownSet {
            name: concat!("emnist-", $set),
            description: concat!($description, " (G. Cohen and others, 2017)"),
            classes: $classes,
            contents: Contents::Idx {
                files: [
                    concat!("emnist-", $set, "-train-images-idx3-ubyte.gz"),
                    concat!("emnist-", $set, "-train-labels-idx1-ubyte.gz"),
                    concat!("emnist-", $set, "-test-images-idx3-ubyte.gz"),
                    concat!("emnist-", $set, "-test-labels-idx1-ubyte.gz"),
                ],
                labels: $labels,
                transposed: true,
            },
            source: Source::Archive(&EMNIST),
        }
    };
}

pub(super) static SETS: [KnownSet; 10] = [
    KnownSet {
        name: "mnist",
        description: "handwritten digits, 60,000 and 10,000 images of 28 x 28 (Y. LeCun and others, 1998)",
        classes: DIGITS,
        contents: Contents::Idx {
            files: MNIST_FILES,
            labels: 0..=9,
            transposed: false,
        },
        source: Source::Files {
            mirrors: &[
                "https://storage.googleapis.com/cvdf-datasets/mnist/",
                "https://ossci-datasets.s3.amazonaws.com/mnist/",
            ],
            published: &[
                Published {
                    bytes: 9_912_422,
                    sha256: "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
                },
                Published {
                    bytes: 28_881,
                    sha256: "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
                },
                Published {
                    bytes: 1_648_877,
                    sha256: "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
                },
                Published {
                    bytes: 4542,
                    sha256: "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
                },
            ],
        },
    },
    KnownSet {
        name: BINARIZED_MNIST,
        description: "MNIST in black and white, drawn once for all, 60,000 and 10,000 images of 28 x 28 without labels (H. \
                      Larochelle and I. Murray, 2011)",
        classes: &[],
        contents: Contents::Rows {
            files: [
                "binarized_mnist_train.amat",
                "binarized_mnist_valid.amat",
                "binarized_mnist_test.amat",
            ],
            side: 28,
        },
        source: Source::Files {
            mirrors: &["http://www.cs.toronto.edu/~larocheh/public/datasets/binarized_mnist/"],
            published: &[
                Published {
                    bytes: 78_400_000,
                    sha256: "ad693b29f94c14277b095f5238ddefbbdaaae0939789dd2f4f0205278cee3e4d",
                },
                Published {
                    bytes: 15_680_000,
                    sha256: "1de3d397c40fe8eeb33dafd4099a1f665ec01e96d9be234aaeeac8a34930e2e2",
                },
                Published {
                    bytes: 15_680_000,
                    sha256: "e6687bfea3f820c174f33b7865140b2a2dd2930ef786f35d45795fc193b5ab2c",
                },
            ],
        },
    },
    KnownSet {
        name: "fashion-mnist",
        description: "pieces of clothing, 60,000 and 10,000 images of 28 x 28 (H. Xiao and others, 2017)",
        classes: &[
            "t-shirt",
            "trouser",
            "pullover",
            "dress",
            "coat",
            "sandal",
            "shirt",
            "sneaker",
            "bag",
            "ankle-boot",
        ],
        contents: Contents::Idx {
            files: MNIST_FILES,
            labels: 0..=9,
            transposed: false,
        },
        source: Source::Files {
            mirrors: &[
                "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
                "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
                "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            ],
            published: &[
                Published {
                    bytes: 26_421_880,
                    sha256: "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
                },
                Published {
                    bytes: 29_515,
                    sha256: "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
                },
                Published {
                    bytes: 4_422_102,
                    sha256: "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
                },
                Published {
                    bytes: 5148,
                    sha256: "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
                },
            ],
        },
    },
    KnownSet {
        name: "kmnist",
        description: "old cursive hiragana, 60,000 and 10,000 images of 28 x 28 (T. Clanuwat and others, 2018)",
        classes: &["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"],
        contents: Contents::Idx {
            files: MNIST_FILES,
            labels: 0..=9,
            transposed: false,
        },
        source: Source::Files {
            mirrors: &[
                "https://codh.rois.ac.jp/kmnist/dataset/kmnist/",
                "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
            ],
            published: &[
                Published {
                    bytes: 18_165_135,
                    sha256: "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
                },
                Published {
                    bytes: 29_497,
                    sha256: "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
                },
                Published {
                    bytes: 3_041_136,
                    sha256: "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
                },
                Published {
                    bytes: 5120,
                    sha256: "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
                },
            ],
        },
    },
    emnist!(
        "letters",
        "handwritten letters, both cases in one class, 124,800 and 20,800 images of 28 x 28",
        SMALL_LETTERS,
        1..=26
    ),
    emnist!(
        "digits",
        "handwritten digits, 240,000 and 40,000 images of 28 x 28",
        DIGITS,
        0..=9
    ),
    emnist!(
        "mnist",
        "handwritten digits chosen as for MNIST, 60,000 and 10,000 images of 28 x 28",
        DIGITS,
        0..=9
    ),
    emnist!(
        "balanced",
        "handwritten characters, as many of each, 112,800 and 18,800 images of 28 x 28",
        &MERGED_CHARACTERS,
        0..=46
    ),
    emnist!(
        "bymerge",
        "handwritten characters, cases that look alike merged, 697,932 and 116,323 images of 28 x 28",
        &MERGED_CHARACTERS,
        0..=46
    ),
    emnist!(
        "byclass",
        "handwritten characters, 697,932 and 116,323 images of 28 x 28",
        &CHARACTERS,
        0..=61
    ),
];

static EMNIST: Archive = Archive {
    folder: "emnist",
    name: "gzip.zip",
    prefix: "gzip/",
    mirrors: &["https://biometrics.nist.gov/cs_links/EMNIST/"],
    published: Published {
        bytes: 561_753_746,
        sha256: "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e",
    },
};
