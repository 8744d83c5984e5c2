#!/bin/sh
# Makes a bare repository of the last commit alone: copy_commit.sh FROM TO
set -eu
rm -rf "$2"
git clone --quiet --bare --depth 1 --template= "file://$1" "$2"
