"""The one reader of files and pictures: parts with their places, and what could not be read"""
