"""The form of a uid, written and read."""

import pytest

from dataset.benchmark.uids import is_null, make_uid, object_of, uid_parts, vid_of


@pytest.mark.parametrize("vid", ["v", "clip_1", "-a_b__c", "null_clip"])
@pytest.mark.parametrize("name", ["dog", "hair-dryer", "Käse.1"])
def test_what_is_written_is_read(vid, name):
    uid = make_uid(vid, name, 12)
    assert uid_parts(uid) == [vid, name, "12"]
    assert (vid_of(uid), object_of(uid), is_null(uid)) == (vid, name, vid.startswith("null_"))


@pytest.mark.parametrize("name", ["", "hair_dryer"])
def test_a_name_that_could_not_be_read_is_refused(name):
    with pytest.raises(ValueError, match="expected an object name without '_', got"):
        make_uid("v", name, 1)


@pytest.mark.parametrize(("uid", "vid"), [("", ""), ("clip", "clip"), ("clip_1", "clip")])
def test_a_uid_of_another_form_names_no_object(uid, vid):
    assert (vid_of(uid), object_of(uid)) == (vid, None)
