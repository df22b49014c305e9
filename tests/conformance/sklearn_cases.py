"""scikit-learn models over its own data sets, small enough to be trained in a moment."""

import dataclasses

import numpy as np
import sklearn.calibration as calibration
import sklearn.cluster as cluster
import sklearn.compose as compose
import sklearn.cross_decomposition as cross_decomposition
import sklearn.datasets as datasets
import sklearn.decomposition as decomposition
import sklearn.discriminant_analysis as discriminant
import sklearn.ensemble as ensemble
import sklearn.feature_extraction.text as text
import sklearn.feature_selection as selection
import sklearn.gaussian_process as gaussian
import sklearn.impute as impute
import sklearn.linear_model as linear
import sklearn.mixture as mixture
import sklearn.multiclass as multiclass
import sklearn.naive_bayes as bayes
import sklearn.neighbors as neighbors
import sklearn.neural_network as neural
import sklearn.pipeline as pipeline
import sklearn.preprocessing as preprocessing
import sklearn.svm as svm
import sklearn.tree as tree

SEED = {"random_state": 0}


@dataclasses.dataclass
class Case:
    """One model: how it is trained, how it is exported.

    `double`: exported over float64 inputs, for models whose float32 arithmetic is too coarse for
    the tolerance whoever computes it (differences of large kernels, distances of near points).
    `exact`: it does nothing to its inputs but compare them, so that no row may differ.
    `columns`: the inputs as (name, type, number of columns); one input `x` when empty.
    `label_shape`: of the labels, where the export gives another shape than it declares.
    `convert`: gets the trained model and its number of columns, where skl2onnx does not export it.
    """

    name: str
    model: object
    data: tuple
    double: bool = False
    opset: int = 0
    ml_opset: int = 0
    options: dict = dataclasses.field(default_factory=dict)
    exact: bool = False
    columns: tuple = ()
    label_shape: tuple = ()
    convert: object = None


def _numbers(load, rows=0):
    x, y = load(return_X_y=True)
    x = x.astype(np.float32)  # what the model will be asked with
    return (x[:: len(x) // rows], y[:: len(x) // rows]) if rows else (x, y)


IRIS = _numbers(datasets.load_iris)
WINE = _numbers(datasets.load_wine)
CANCER = _numbers(datasets.load_breast_cancer)
DIGITS = _numbers(datasets.load_digits, rows=600)
DIABETES = _numbers(datasets.load_diabetes)
LINNERUD = _numbers(datasets.load_linnerud)
# Names as classes.
FLOWERS = (IRIS[0], datasets.load_iris().target_names[IRIS[1]])


def _with_gaps(data):
    x = data[0].copy()
    x[np.random.default_rng(0).random(x.shape) < 0.1] = np.nan
    return x, data[1]


def _counts(data):
    return np.round(data[0]), data[1]


def _wine_words():
    """Colour and strength of a wine as words."""
    colour = np.array(["pale", "ruby", "deep red"])[np.digitize(WINE[0][:, 9], [3.5, 6])]
    strength = np.array(["light", "strong"])[np.digitize(WINE[0][:, 0], [13])]
    return np.stack([colour, strength], axis=1).astype(object), WINE[1]


def _mixed_wine():
    return np.hstack([WINE[0][:, :4].astype(object), _wine_words()[0]]), WINE[1]


def _sentences():
    """Lines of the data sets' descriptions, to be told apart."""
    loads = (datasets.load_iris, datasets.load_wine, datasets.load_diabetes)
    lines = [(line.strip(), i) for i, load in enumerate(loads) for line in load().DESCR.split("\n")]
    lines = [(line, i) for line, i in lines if len(line) > 20 and line.isascii()]
    return np.array([line for line, _ in lines], dtype=object), np.array([i for _, i in lines])


def _chain(*steps):
    return pipeline.make_pipeline(*steps)


def _scaled(model):
    return _chain(preprocessing.StandardScaler(), model)


def _linear_cases():
    yield Case("logistic binary", _scaled(linear.LogisticRegression()), CANCER)
    yield Case("logistic multinomial", linear.LogisticRegression(max_iter=500), IRIS)
    yield Case("logistic names", _scaled(linear.LogisticRegression()), FLOWERS)
    one_vs_rest = multiclass.OneVsRestClassifier(linear.LogisticRegression())
    yield Case("one against the rest", _scaled(one_vs_rest), WINE)
    raw = linear.LogisticRegression(max_iter=500)
    yield Case("logistic raw scores", raw, FLOWERS, options={"raw_scores": True})
    yield Case("perceptron", _scaled(linear.Perceptron(**SEED)), IRIS)
    yield Case("sgd log loss", _scaled(linear.SGDClassifier(loss="log_loss", **SEED)), CANCER)
    yield Case("sgd hinge", _scaled(linear.SGDClassifier(**SEED)), WINE)
    yield Case("ridge classifier", _scaled(linear.RidgeClassifier()), WINE)
    for model in (
        linear.Ridge(),
        linear.Lasso(0.1),
        linear.ElasticNet(0.01),
        linear.BayesianRidge(),
    ):
        yield Case(type(model).__name__, model, DIABETES)
    yield Case("sgd regressor", linear.SGDRegressor(**SEED), DIABETES)
    yield Case("huber", linear.HuberRegressor(max_iter=500), DIABETES)
    yield Case("poisson", linear.PoissonRegressor(), DIABETES)
    yield Case("linear of many targets", linear.LinearRegression(), LINNERUD)
    pls = cross_decomposition.PLSRegression(2)
    yield Case("partial least squares", pls, LINNERUD, double=True)


def _svm_cases():
    yield Case("svc probabilities", _scaled(svm.SVC(probability=True, **SEED)), IRIS)
    yield Case("svc binary", _scaled(svm.SVC()), CANCER)
    yield Case("svc polynomial", _scaled(svm.SVC(kernel="poly", degree=2)), WINE)
    yield Case(
        "svc sigmoid names", _scaled(svm.SVC(kernel="sigmoid", probability=True, **SEED)), FLOWERS
    )
    yield Case("nu svc", _scaled(svm.NuSVC(probability=True, **SEED)), WINE)
    yield Case("linear svc", svm.LinearSVC(max_iter=5000), IRIS)
    yield Case("svr", svm.SVR(C=50), DIABETES)
    yield Case("nu svr linear", svm.NuSVR(kernel="linear", C=50), DIABETES)
    yield Case("linear svr", svm.LinearSVR(C=10), DIABETES)
    yield Case("one class svm", _scaled(svm.OneClassSVM(nu=0.1)), IRIS)


def _tree_cases():
    few = {"n_estimators": 20, **SEED}
    yield Case(
        "decision tree", tree.DecisionTreeClassifier(max_depth=5, **SEED), FLOWERS, exact=True
    )
    yield Case(
        "decision tree regressor",
        tree.DecisionTreeRegressor(max_depth=6, **SEED),
        LINNERUD,
        exact=True,
    )
    yield Case("random forest", ensemble.RandomForestClassifier(**few), DIGITS, exact=True)
    yield Case("random forest binary", ensemble.RandomForestClassifier(**few), CANCER, exact=True)
    yield Case(
        "random forest regressor", ensemble.RandomForestRegressor(**few), DIABETES, exact=True
    )
    yield Case("extra trees", ensemble.ExtraTreesClassifier(**few), WINE, exact=True)
    yield Case("extra trees regressor", ensemble.ExtraTreesRegressor(**few), LINNERUD, exact=True)
    yield Case("gradient boosting", ensemble.GradientBoostingClassifier(**few), WINE, exact=True)
    yield Case(
        "gradient boosting binary", ensemble.GradientBoostingClassifier(**few), CANCER, exact=True
    )
    yield Case(
        "gradient boosting regressor",
        ensemble.GradientBoostingRegressor(**few),
        DIABETES,
        exact=True,
    )
    histogram = {"max_iter": 10, **SEED}
    yield Case(
        "histograms",
        ensemble.HistGradientBoostingClassifier(**histogram),
        _with_gaps(IRIS),
        exact=True,
    )
    yield Case(
        "histograms binary",
        ensemble.HistGradientBoostingClassifier(**histogram),
        CANCER,
        exact=True,
    )
    yield Case(
        "histogram regressor",
        ensemble.HistGradientBoostingRegressor(**histogram),
        _with_gaps(DIABETES),
        exact=True,
    )
    yield Case("ada boost", ensemble.AdaBoostClassifier(n_estimators=10, **SEED), WINE, exact=True)
    yield Case(
        "ada boost regressor",
        ensemble.AdaBoostRegressor(n_estimators=10, **SEED),
        DIABETES,
        exact=True,
    )
    bagged = tree.DecisionTreeClassifier(max_depth=3)
    yield Case(
        "bagging", ensemble.BaggingClassifier(bagged, n_estimators=5, **SEED), CANCER, exact=True
    )
    bagged = tree.DecisionTreeRegressor(max_depth=3)
    yield Case("bagging regressor", ensemble.BaggingRegressor(bagged, **SEED), DIABETES, exact=True)
    yield Case("isolation forest", ensemble.IsolationForest(**few), IRIS, exact=True, ml_opset=3)


def _neighbor_cases():
    yield Case("nearest neighbours", neighbors.KNeighborsClassifier(), IRIS)
    yield Case("neighbours on digits", neighbors.KNeighborsClassifier(3), DIGITS)
    yield Case("neighbours regressor", neighbors.KNeighborsRegressor(4), DIABETES)
    cdist = {"optim": "cdist"}
    yield Case("neighbours by CDist", neighbors.KNeighborsRegressor(4), DIABETES, options=cdist)
    manhattan = neighbors.KNeighborsClassifier(metric="manhattan")
    yield Case("manhattan neighbours", manhattan, CANCER)
    found = neighbors.NearestNeighbors(n_neighbors=3, radius=None)
    yield Case("neighbours alone", found, DIABETES, double=True)
    kernel = gaussian.kernels.RBF(1.0)
    process = gaussian.GaussianProcessRegressor(kernel, alpha=1e-2, optimizer=None)
    yield Case("gaussian process", _scaled(process), (WINE[0], WINE[0][:, 0]), double=True)
    process = gaussian.GaussianProcessClassifier(kernel, **SEED)
    two = (IRIS[0][:100], IRIS[1][:100])
    options = {"zipmap": False}
    yield Case(
        "gaussian process classifier",
        process,
        two,
        double=True,
        opset=17,
        options=options,
        label_shape=(-1, 1),  # it declares [n]
    )


def _bayes_cases():
    yield Case("gaussian bayes", bayes.GaussianNB(), IRIS)
    yield Case("bernoulli bayes", bayes.BernoulliNB(binarize=5.0), DIGITS)
    yield Case("multinomial bayes", bayes.MultinomialNB(), DIGITS, double=True)
    yield Case("complement bayes", bayes.ComplementNB(), _counts(IRIS))
    yield Case("categorical bayes", bayes.CategoricalNB(), _counts(IRIS))
    yield Case("linear discriminant", discriminant.LinearDiscriminantAnalysis(), WINE)
    yield Case("quadratic discriminant", discriminant.QuadraticDiscriminantAnalysis(), IRIS)
    yield Case(
        "perceptron layers", _scaled(neural.MLPClassifier((16, 8), max_iter=60, **SEED)), IRIS
    )
    layers = neural.MLPRegressor(hidden_layer_sizes=(16,), activation="tanh", max_iter=60, **SEED)
    yield Case("perceptron layers regressor", _scaled(layers), DIABETES)
    yield Case("k means", cluster.KMeans(3, n_init=1, **SEED), IRIS, double=True)
    yield Case("mini batch k means", cluster.MiniBatchKMeans(10, n_init=1, **SEED), DIGITS)
    yield Case("mixture", mixture.GaussianMixture(3, **SEED), IRIS)
    diagonal = mixture.GaussianMixture(2, covariance_type="diag", **SEED)
    yield Case("mixture diagonal", _scaled(diagonal), WINE)


def _transformer_cases():
    for model in (
        preprocessing.StandardScaler(),
        preprocessing.MinMaxScaler(),
        preprocessing.RobustScaler(),
        preprocessing.MaxAbsScaler(),
        preprocessing.Normalizer("l1"),
        preprocessing.Binarizer(threshold=3.0),
        preprocessing.PolynomialFeatures(2),
        preprocessing.PowerTransformer(),
        decomposition.PCA(2),
        decomposition.TruncatedSVD(2, **SEED),
        decomposition.IncrementalPCA(2),
        selection.VarianceThreshold(0.5),
        selection.SelectKBest(k=2),
        impute.SimpleImputer(strategy="median"),
    ):
        yield Case(type(model).__name__, model, IRIS)
    yield Case("kernel pca", decomposition.KernelPCA(2, kernel="rbf", gamma=0.1), IRIS, double=True)
    bins = preprocessing.KBinsDiscretizer(
        4, encode="onehot-dense", quantile_method="averaged_inverted_cdf"
    )
    yield Case("bins", bins, IRIS, exact=True)
    yield Case("mean of gaps", impute.SimpleImputer(), _with_gaps(IRIS))
    yield Case("neighbours fill gaps", impute.KNNImputer(), _with_gaps(DIABETES), opset=18)
    yield Case("quantiles", preprocessing.QuantileTransformer(n_quantiles=20), IRIS, exact=True)
    words = (("colour", str, 1), ("strength", str, 1))
    one_hot = preprocessing.OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    yield Case("one hot words", one_hot, _wine_words(), columns=words)
    yield Case(
        "ordinal words", preprocessing.OrdinalEncoder(), _wine_words(), columns=words, ml_opset=3
    )
    yield Case("one hot digits", preprocessing.OneHotEncoder(sparse_output=False), _counts(IRIS))


def _composed_cases():
    columns = compose.ColumnTransformer(
        [
            ("numbers", preprocessing.StandardScaler(), [0, 1, 2, 3]),
            ("words", preprocessing.OneHotEncoder(), [4, 5]),
        ]
    )
    mixed = (("numbers", float, 4), ("colour", str, 1), ("strength", str, 1))
    yield Case(
        "mixed columns", _chain(columns, linear.LogisticRegression()), _mixed_wine(), columns=mixed
    )
    union = pipeline.make_union(decomposition.PCA(2), selection.SelectKBest(k=3))
    yield Case(
        "union", _chain(preprocessing.StandardScaler(), union, linear.LogisticRegression()), WINE
    )
    members = [
        ("logistic", linear.LogisticRegression(max_iter=500)),
        ("tree", tree.DecisionTreeClassifier(max_depth=3, **SEED)),
        ("bayes", bayes.GaussianNB()),
    ]
    yield Case(
        "soft vote",
        ensemble.VotingClassifier(members, voting="soft", flatten_transform=False),
        IRIS,
    )
    yield Case("stack", ensemble.StackingClassifier(members), IRIS)
    regressors = [
        ("ridge", linear.Ridge()),
        ("tree", tree.DecisionTreeRegressor(max_depth=3, **SEED)),
    ]
    yield Case("vote of regressors", ensemble.VotingRegressor(regressors), DIABETES)
    yield Case("stack of regressors", ensemble.StackingRegressor(regressors), DIABETES)
    calibrated = calibration.CalibratedClassifierCV(bayes.GaussianNB(), cv=2)
    yield Case("calibrated", calibrated, IRIS)
    isotonic = calibration.CalibratedClassifierCV(
        linear.LogisticRegression(), method="isotonic", cv=2
    )
    yield Case("calibrated isotonic", _scaled(isotonic), CANCER)
    eliminated = selection.RFE(linear.LogisticRegression(max_iter=500), n_features_to_select=2)
    yield Case("feature elimination", _chain(eliminated, bayes.GaussianNB()), IRIS)
    yield Case(
        "squared logarithm",
        _chain(
            preprocessing.FunctionTransformer(), preprocessing.MinMaxScaler(clip=True), svm.SVC()
        ),
        WINE,
    )


def _text_cases():
    one = (("text", str, 1),)
    counts = text.CountVectorizer(token_pattern="[a-zA-Z]+")
    yield Case("word counts", counts, _sentences(), columns=one)
    pairs = text.TfidfVectorizer(ngram_range=(1, 2), token_pattern="[a-zA-Z]+", max_features=80)
    yield Case(
        "words to class", _chain(pairs, linear.LogisticRegression()), _sentences(), columns=one
    )
    letters = text.TfidfVectorizer(analyzer="char", ngram_range=(2, 2), max_features=60)
    yield Case(
        "letters to class", _chain(letters, bayes.MultinomialNB()), _sentences(), columns=one
    )
    stopped = text.TfidfVectorizer(
        stop_words=["the", "of"], binary=True, token_pattern="[a-zA-Z]+", max_features=50
    )
    yield Case("words without stop words", stopped, _sentences(), columns=one)


def sklearn_cases():
    for group in (
        _linear_cases,
        _svm_cases,
        _tree_cases,
        _neighbor_cases,
        _bayes_cases,
        _transformer_cases,
        _composed_cases,
        _text_cases,
    ):
        yield from group()
