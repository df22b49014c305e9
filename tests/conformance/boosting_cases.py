"""LightGBM and XGBoost models as onnxmltools exports them; none where the packages are missing."""

try:
    import lightgbm
    import onnxmltools
    import xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType
except ImportError:
    lightgbm = None

from conformance.sklearn_cases import CANCER, DIABETES, IRIS, Case

OPSET = 15


def _convert_lightgbm(model, columns):
    types = [("x", FloatTensorType([None, columns]))]
    return onnxmltools.convert_lightgbm(model, initial_types=types, target_opset=OPSET)


def _convert_xgboost(model, columns):
    types = [("x", FloatTensorType([None, columns]))]
    return onnxmltools.convert_xgboost(model, initial_types=types, target_opset=OPSET)


def boosting_cases():
    if lightgbm is None:
        return
    few = {"n_estimators": 10, "random_state": 0, "n_jobs": 1}
    quiet = {"verbose": -1, **few}
    for name, model, data in (
        ("lightgbm", lightgbm.LGBMClassifier(**quiet), IRIS),
        ("lightgbm binary", lightgbm.LGBMClassifier(**quiet), CANCER),
        ("lightgbm regressor", lightgbm.LGBMRegressor(**quiet), DIABETES),
    ):
        yield Case(name, model, data, exact=True, convert=_convert_lightgbm)
    for name, model, data in (
        ("xgboost", xgboost.XGBClassifier(**few), IRIS),
        ("xgboost binary", xgboost.XGBClassifier(**few), CANCER),
        ("xgboost regressor", xgboost.XGBRegressor(**few), DIABETES),
    ):
        yield Case(name, model, data, exact=True, convert=_convert_xgboost)
